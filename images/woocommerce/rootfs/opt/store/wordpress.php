<?php
/** WordPress itself: the installation with its administrator, and the form of its addresses. */

declare(strict_types=1);

namespace Shopwright;

function install_wordpress(): void
{
    $user = secret('ADMIN_USERNAME');
    wp_install(setting('STORE_NAME'), $user, secret('ADMIN_EMAIL'), true, '', secret('ADMIN_PASSWORD'));
    if (!user_can(get_user_by('login', $user), 'manage_options')) {
        throw new Failure('no_administrator', 'WordPress did not create the administrator');
    }
    // WordPress marks comments and pings open for a blog; a shop has neither.
    update_option('default_comment_status', 'closed');
    update_option('default_ping_status', 'closed');
}

/** Addresses like /shop/, which the REST API's /wp-json/ needs too. */
function pretty_permalinks(): void
{
    global $wp_rewrite;
    if (get_option('permalink_structure') !== '/%postname%/') {
        $wp_rewrite->set_permalink_structure('/%postname%/');
    }
    $wp_rewrite->flush_rules(false);
}
