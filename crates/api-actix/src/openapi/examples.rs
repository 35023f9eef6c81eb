//! What the examples of the document are made of: one merchant, one store, one operation.

use serde_json::{Value, json};

/// When it all happened.
const AT: &str = "2026-11-23T00:14:17.473Z";

/// An account.
pub(crate) fn user() -> Value {
    json!({
        "id": "0b8f6c1e-6a57-4a83-9d0e-3a5d7c2f9b11", "email": "ada@example.com", "username": "ada", "role": "tenant",
    })
}

/// The answer to whoever signs in.
pub(crate) fn signed_in(message: &str) -> Value {
    json!({"message": message, "user": user(), "token": "eyJ0eXAi...", "expiresIn": 600, "refreshToken": "swr_7c1f..."})
}

/// An operation in its short form.
pub(crate) fn operation() -> Value {
    json!({
        "id": "5f0a1f0c-8f5d-4a6e-9f43-0c6d1b7e2a55", "storeId": "store-1a2b3c4d", "kind": "provision", "status": "running",
        "step": "await_workloads", "attempt": 0, "failure": null, "createdAt": AT, "requestedAt": AT, "startedAt": AT,
        "finishedAt": null,
    })
}

/// An operation with its steps.
pub(crate) fn operation_detail() -> Value {
    let mut operation = operation();
    operation["steps"] = json!([
        {"name": "create_namespace", "status": "succeeded", "attempts": 0, "startedAt": AT, "finishedAt": AT, "error": null},
        {"name": "await_workloads", "status": "started", "attempts": 0, "startedAt": AT, "finishedAt": null, "error": null},
    ]);
    operation["setup"] =
        json!([{"name": "wait-database", "durationMs": 1480}, {"name": "migrate", "durationMs": 11_206}]);
    operation
}

/// A store as lists show it.
pub(crate) fn store() -> Value {
    json!({
        "id": "store-1a2b3c4d", "name": "teashop", "engine": "medusa", "status": "provisioning", "theme": null,
        "urls": {"storefront": null, "admin": null}, "namespace": "store-1a2b3c4d", "isCredentialOwner": true,
        "failureReason": null, "retryCount": 0, "provisioningDurationMs": null, "createdAt": AT, "updatedAt": AT,
        "host": "teashop.localhost", "engineNote": null, "failure": null, "operation": operation(),
    })
}

/// The answer to a request that a worker carries out.
pub(crate) fn accepted(message: &str) -> Value {
    let mut store = store();
    store["adminCredentials"] = json!({});
    json!({"message": message, "store": store})
}

/// A ready store, as its owner sees it.
pub(crate) fn ready_store() -> Value {
    let mut store = store();
    store["status"] = "ready".into();
    store["urls"] =
        json!({"storefront": "http://teashop.localhost:8080", "admin": "http://teashop.localhost:8080/app"});
    store["adminCredentials"] = json!({"email": "ada@example.com", "password": "KGXv..."});
    store["provisioningDurationMs"] = json!(41_281);
    store["operation"] = Value::Null;
    store
}

/// A sign-in.
pub(crate) fn session() -> Value {
    json!({
        "id": "3f0c2f5e-5b3a-4f0e-8b11-3f6f1d0a9c77", "createdAt": AT, "lastUsedAt": AT, "expiresAt": "2026-12-23T00:14:17.473Z",
        "ipAddress": "203.0.113.7", "userAgent": "Mozilla/5.0", "current": true,
    })
}

/// An API token without its secret.
pub(crate) fn api_token() -> Value {
    json!({
        "id": "a1c9d3d2-1b6f-4f9d-8f55-2d6c1a7b8e90", "name": "CI", "prefix": "swt_1a2b3c4d", "scopes": ["stores:read"],
        "organisationId": "7d3b5d0c-9a0f-4c53-8c1d-0f6a9b2e4d11",
        "createdAt": AT, "expiresAt": "2027-02-21T00:14:17.473Z", "lastUsedAt": null,
    })
}

/// An entry of a store's log.
pub(crate) fn log() -> Value {
    json!({
        "id": "42", "storeId": "store-1a2b3c4d", "eventType": "status_change", "previousStatus": "requested",
        "newStatus": "provisioning", "message": "provisioning began", "metadata": {"epoch": 1}, "ipAddress": null, "userEmail": null,
        "createdAt": AT, "operationId": "5f0a1f0c-8f5d-4a6e-9f43-0c6d1b7e2a55",
    })
}

/// An entry of the audit trail.
pub(crate) fn audit_entry() -> Value {
    let mut entry = log();
    for (key, value) in [
        ("storeName", json!("teashop")),
        ("organisationId", json!("7d1c5a52-8a0e-4e0c-9b6c-5f4f8a1d2e3b")),
        ("actor", json!({"id": "0b8f6c1e-6a57-4a83-9d0e-3a5d7c2f9b11", "email": "ada@example.com"})),
        ("sessionId", json!("3f0c2f5e-5b3a-4f0e-8b11-3f6f1d0a9c77")),
        ("tokenId", Value::Null),
        ("ipAddress", json!("203.0.113.7")),
        ("userEmail", json!("ada@example.com")),
        ("requestId", json!("req_5d9f7e00a800")),
        ("before", json!({"status": "requested"})),
        ("after", json!({"status": "provisioning"})),
        ("digest", json!("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")),
    ] {
        entry[key] = value;
    }
    entry
}

/// A stream of events, as it begins.
pub(crate) fn event_stream() -> String {
    let data = json!({
        "id": 42, "type": "operation", "at": AT, "organisationId": "7d1c5a52-8a0e-4e0c-9b6c-5f4f8a1d2e3b",
        "storeId": "store-1a2b3c4d", "operationId": "5f0a1f0c-8f5d-4a6e-9f43-0c6d1b7e2a55", "kind": "provision",
        "status": "running", "step": "await_workloads", "stepStatus": "started", "attempt": 0,
        "message": "provision is running; await_workloads is started", "failure": null, "auditId": null, "eventType": null,
    });
    format!("retry: 2000\nid: 41\n\nid: 42\nevent: operation\ndata: {data}\n\n: alive\n\n")
}

/// `/health`.
pub(crate) fn health() -> Value {
    json!({
        "status": "healthy", "timestamp": AT, "uptime": 8, "simulated": false,
        "checks": {
            "database": {"status": "healthy", "latencyMs": 2},
            "kubernetes": {
                "status": "healthy", "latencyMs": 11, "breaker": "closed", "fence": "holds", "unknownNamespaces": 0,
            },
        },
        "concurrency": {
            "active": 0, "maxConcurrent": 32, "activeOperations": 0, "queued": null, "maxQueueSize": null, "totalAcquired": null,
            "totalRejected": 0, "totalTimedOut": 0,
        },
    })
}

/// `/readyz` of a server that should get no requests.
pub(crate) fn not_ready() -> Value {
    json!({"status": "not-ready", "ready": false, "timestamp": AT})
}

/// `/readyz`.
pub(crate) fn ready() -> Value {
    json!({"status": "ready", "ready": true, "timestamp": AT})
}
