//! `engines list`.

use super::api::Api;
use super::console::Console;
use super::error::ClientError;
use super::model::EnginesAnswer;
use super::print;
use crate::cli::definition::Output;

/// What stores can be made of.
pub(super) async fn list(output: Output, api: &Api, console: &mut Console) -> Result<(), ClientError> {
    let answer = api.get("/engines").await?;
    let engines = answer.read::<EnginesAnswer>()?.engines;
    match output {
        Output::Json => print::json(&answer.body, console),
        Output::Name => engines.iter().for_each(|engine| console.result(&engine.name)),
        Output::Table => {
            for engine in &engines {
                console.result(&format!("{}\t{}\t{}", engine.name, engine.title, engine.summary));
                for remark in [&engine.unavailable_reason, &engine.note].into_iter().flatten() {
                    console.say(&format!("{}: {remark}", engine.name));
                }
            }
        }
    }
    Ok(())
}
