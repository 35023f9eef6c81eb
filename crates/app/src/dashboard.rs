//! The dashboard as `dashboard/build` left it when this program was compiled.

use rust_embed::RustEmbed;
use shopwright_api_actix::Dashboard;

#[derive(Debug, RustEmbed)]
#[folder = "../../dashboard/dist"]
#[allow_missing = true]
struct Built;

/// Its files. There are none where it was not built: a compiler without Node.js beside it gets a program without a dashboard.
pub fn built_in() -> Dashboard {
    let files = Built::iter().filter(|name| !name.starts_with('.'));
    Dashboard::new(files.filter_map(|name| Some((name.to_string(), Built::get(&name)?.data))))
}
