<?php
/**
 * GET /wp-json/store/v1/ready: whether this store is set up for this image's code and its database answers.
 *
 * What always holds: 200 only when the marker (the row that the last step of set-up finishes) was read just now; 503 else, within
 * two seconds, and without a word about why, because anybody may ask. It does not depend on the Host header.
 */

declare(strict_types=1);

require_once __DIR__ . '/lib/load.php';

use Shopwright\{Database, Record, Versions};

try {
    $ready = Versions::ofImage()->serves(Record::read(Database::once(1, 1)));
} catch (Throwable $e) {
    error_log('ready: ' . $e->getMessage());
    $ready = false;
}
http_response_code($ready ? 200 : 503);
header('Content-Type: application/json');
header('Cache-Control: no-store');
echo json_encode(['ready' => $ready]), "\n";
