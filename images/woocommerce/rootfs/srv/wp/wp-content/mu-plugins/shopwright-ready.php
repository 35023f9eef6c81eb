<?php
/**
 * Plugin Name: Shopwright readiness
 * Description: GET /wp-json/store/v1/ready says whether this store is set up and its database answers.
 *
 * What always holds: 200 only when set-up wrote its marker (a row that the last step of set-up finishes) and the database was
 * asked for it just now. Without the database WordPress itself answers 500 before it comes here.
 */

declare(strict_types=1);

add_action('rest_api_init', function (): void {
    register_rest_route('store/v1', '/ready', [
        'methods' => 'GET',
        'permission_callback' => '__return_true',
        'callback' => function (): WP_REST_Response {
            global $wpdb;
            $wpdb->suppress_errors();
            $finished = $wpdb->get_var('SELECT finished_at FROM shopwright_setup WHERE id = 1');
            $response = new WP_REST_Response(['ready' => $finished !== null], $finished !== null ? 200 : 503);
            $response->header('Cache-Control', 'no-store');
            return $response;
        },
    ]);
});
