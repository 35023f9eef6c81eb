//! Prints the OpenAPI document: what `make openapi` writes into docs/openapi.json, without building the whole program.

fn main() {
    print!("{}", shopwright_api_actix::openapi());
}
