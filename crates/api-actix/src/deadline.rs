//! A handler has a limited time, and a panic in it is one failed request and nothing more.

use std::panic::AssertUnwindSafe;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::rt::time::timeout;
use actix_web::{Error, web};
use futures::FutureExt;

use crate::State;
use crate::problem::{Problem, Retry, TIMED_OUT};

/// Wraps resources, not the application: only after routing may the request be shared with the answer.
pub(crate) async fn deadline(
    state: web::Data<State>,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, Error> {
    let shared = request.request().clone();
    match within(&state, next.call(request)).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Ok(ServiceResponse::from_err(error, shared)),
        Err(problem) => Ok(ServiceResponse::from_err(problem, shared)),
    }
}

/// The outcome of `work`, dropped when it takes too long.
pub(crate) async fn within<T>(state: &State, work: impl Future<Output = T>) -> Result<T, Problem> {
    match timeout(state.api.limits.handler_time, AssertUnwindSafe(work).catch_unwind()).await {
        Ok(Ok(outcome)) => Ok(outcome),
        Ok(Err(panic)) => Err(Problem::internal(format!("a handler panicked: {}", words(panic.as_ref())))),
        Err(_) => {
            let message = "The request took too long and was given up.";
            let cause = format!("a handler took more than {:?}", state.api.limits.handler_time);
            Err(Problem::new(TIMED_OUT, message).cause(cause).retry(Retry::Seconds(5)))
        }
    }
}

fn words(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without words")
}
