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

/** Takes effect when the next stage loads WordPress: the plugin then makes its tables by itself. */
function activate_woocommerce(): void
{
    // It would copy its placeholder picture into the uploads, which set-up does not mount. So it serves its own.
    add_option('woocommerce_placeholder_image', '/wp-content/plugins/woocommerce/assets/images/placeholder.webp');
    // Orders in their own tables, before the first one: changing over later means a migration.
    add_option('woocommerce_custom_orders_table_enabled', 'yes');
    // A killed run's lock would make the plugin skip its installation without a word. We hold a lock of our own.
    delete_option('wc_installing');
    delete_transient('wc_installing');
    update_option('active_plugins', array_values(array_unique([...get_option('active_plugins', []), 'woocommerce/woocommerce.php'])));
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
