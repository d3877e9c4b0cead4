//! Between HTTP and the rooms: the shell around every page, forms, paging, error pages, assets, and what protects it all.

pub mod assets;
pub mod back;
pub mod csv;
pub mod device;
pub mod errors;
mod etag;
pub mod form;
pub mod guest;
pub mod kept;
pub mod multipart;
pub mod once;
pub mod paging;
mod payment;
pub mod protect;
pub mod route;
pub mod shell;
pub mod site;
mod suspended;
pub mod token;
pub mod watch;
pub mod when;
pub mod wrote;

pub use form::{Filled, Form, Sent};
pub use once::{Reply, once};
pub use shell::{Section, Shell};
pub use site::Site;
