<?php
/**
 * The administrator's password after the installation: how a new one of the Secret is noticed, and applied.
 *
 * What always holds: only the account named by the Secret is touched, and only while it is an administrator's: with that name
 * somebody else may have signed up since. A password that the merchant chose stays until the Secret holds a new one.
 */

declare(strict_types=1);

namespace Shopwright;

/** Not the password: a keyed hash for the record, to see that the control plane has written another one since. */
function password_fingerprint(): string
{
    return hash_hmac('sha256', "admin-password\0" . secret('ADMIN_PASSWORD'), secret('APP_SECRET'));
}

/** Makes the Secret's password the administrator's. Needs WordPress; writes nothing if it is theirs already. */
function apply_password(): string
{
    $user = get_user_by('login', secret('ADMIN_USERNAME'));
    if ($user === false || !user_can($user, 'manage_options')) {
        return 'no administrator of the Secret\'s name, nothing was changed';
    }
    // As WordPress does at installation and at every sign-in.
    $password = trim(secret('ADMIN_PASSWORD'));
    if (wp_check_password($password, $user->user_pass, $user->ID)) {
        return 'unchanged';
    }
    wp_set_password($password, $user->ID);
    if (!wp_check_password($password, get_user_by('id', $user->ID)->user_pass, $user->ID)) {
        throw new Failure('password_refused', 'WordPress did not take the administrator\'s new password');
    }
    return 'applied';
}
