<?php
/**
 * Plugin Name: Shopwright mail
 * Description: Mail goes out by SMTP when the pod has an SMTP server set, and is dropped otherwise.
 *
 * What always holds: no mail is handed to a program of the image (there is none), and without a server nobody waits for one.
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
    $user = Shopwright\setting('SMTP_USERNAME', '');
    if ($user !== '') {
        $mailer->SMTPAuth = true;
        $mailer->Username = $user;
        $mailer->Password = Shopwright\secret('SMTP_PASSWORD');
    }
});
