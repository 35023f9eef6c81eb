<?php
/**
 * Plugin Name: Shopwright mail
 * Description: Mail goes to the SMTP relay that the pod has set, and is dropped without one.
 *
 * What always holds: no mail is handed to a program of the image (there is none), and without a relay nobody waits for one.
 */

declare(strict_types=1);

$host = getenv('SMTP_HOST');
if ($host === false || $host === '') {
    add_filter('pre_wp_mail', '__return_true');
    return;
}
add_action('phpmailer_init', function ($mailer) use ($host): void {
    $mailer->isSMTP();
    $mailer->Host = $host;
    $mailer->Port = (int) Shopwright\setting('SMTP_PORT', '587');
    $mailer->Timeout = 10;
});
