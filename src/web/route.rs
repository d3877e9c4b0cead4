//! Routes as values, so that the app mounts them and the tests count them: a route that the access grid does not list
//! fails the suite.

use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};
use actix_web::{FromRequest, Handler, Responder, guard};

/// One address and method.
pub struct Route {
    pub method: Method,
    pub path: &'static str,
    make: Box<dyn Fn() -> actix_web::Route>,
}

/// A page; HEAD is answered like GET.
pub fn get<F, Args>(path: &'static str, handler: F) -> Route
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    let make = move || web::route().guard(guard::Any(guard::Get()).or(guard::Head())).to(handler.clone());
    Route { method: Method::GET, path, make: Box::new(make) }
}

/// A form. Forms are sent to the address of the page that shows them.
pub fn post<F, Args>(path: &'static str, handler: F) -> Route
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    Route { method: Method::POST, path, make: Box::new(move || web::post().to(handler.clone())) }
}

/// Mounts the routes in their order; other methods on a known path answer 405.
pub fn mount(routes: Vec<Route>, app: &mut ServiceConfig) {
    let mut paths: Vec<(&'static str, Vec<Route>)> = Vec::new();
    for route in routes {
        match paths.iter_mut().find(|(path, _)| *path == route.path) {
            Some((_, list)) => list.push(route),
            None => paths.push((route.path, vec![route])),
        }
    }
    for (path, list) in paths {
        let mut resource = web::resource(path);
        for route in list {
            resource = resource.route((route.make)());
        }
        app.service(resource);
    }
}
