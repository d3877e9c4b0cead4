use crate::web::route::Route;

pub fn routes() -> Vec<Route> {
    Vec::new()
}
