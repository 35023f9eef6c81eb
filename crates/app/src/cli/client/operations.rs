//! `operations get`.

use shopwright_domain::OperationId;

use super::api::Api;
use super::console::Console;
use super::error::ClientError;
use super::model::OperationAnswer;
use super::print;
use crate::cli::definition::Output;

/// One operation with its steps.
pub(super) async fn get(id: OperationId, output: Output, api: &Api, console: &mut Console) -> Result<(), ClientError> {
    let answer = api.get(&format!("/operations/{id}")).await?;
    let operation = answer.read::<OperationAnswer>()?.operation;
    match output {
        Output::Json => print::json(&answer.body, console),
        Output::Name => console.result(&operation.id),
        Output::Table => print::operation(&operation, console),
    }
    Ok(())
}
