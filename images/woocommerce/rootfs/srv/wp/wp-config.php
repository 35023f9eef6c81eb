<?php
/**
 * WordPress' configuration, from the pod's environment alone.
 *
 * What always holds: nothing is read from or written to the image's file system; the keys and salts come from one secret of
 * the store, so that a restart signs nobody out; WordPress changes no file of its own, asks for no file credentials, and
 * runs no cron inside a visitor's request.
 */

declare(strict_types=1);

require_once '/opt/store/lib/env.php';

(function (array $database): void {
    define('DB_HOST', "{$database['host']}:{$database['port']}");
    define('DB_NAME', $database['name']);
    define('DB_USER', $database['user']);
    define('DB_PASSWORD', $database['password']);
    define('MYSQL_CLIENT_FLAGS', $database['tls'] ? MYSQLI_CLIENT_SSL : 0);
})(Shopwright\database());
define('DB_CHARSET', 'utf8mb4');
define('DB_COLLATE', '');
$table_prefix = 'wp_';

foreach (['AUTH_KEY', 'SECURE_AUTH_KEY', 'LOGGED_IN_KEY', 'NONCE_KEY', 'AUTH_SALT', 'SECURE_AUTH_SALT', 'LOGGED_IN_SALT', 'NONCE_SALT'] as $key) {
    define($key, hash_hmac('sha256', $key, Shopwright\secret('APP_SECRET')));
}

define('WP_HOME', rtrim(Shopwright\setting('STORE_URL'), '/'));
define('WP_SITEURL', WP_HOME);

// The ingress ends TLS, and overwrites this header when it comes from outside.
if (($_SERVER['HTTP_X_FORWARDED_PROTO'] ?? '') === 'https') {
    $_SERVER['HTTPS'] = 'on';
}
define('FORCE_SSL_ADMIN', str_starts_with(WP_HOME, 'https://'));

// Without `direct`, a read-only tree makes WordPress choose FTP, and the checkout dies when something asks for a file.
define('FS_METHOD', 'direct');
define('DISALLOW_FILE_MODS', true);
define('AUTOMATIC_UPDATER_DISABLED', true);
define('DISABLE_WP_CRON', true);
define('WP_HTTP_BLOCK_EXTERNAL', Shopwright\setting('EXTERNAL_HTTP', 'false') !== 'true');
define('WP_ENVIRONMENT_TYPE', 'production');
define('WP_DEBUG', false);

if (!defined('ABSPATH')) {
    define('ABSPATH', __DIR__ . '/');
}
require_once ABSPATH . 'wp-settings.php';
