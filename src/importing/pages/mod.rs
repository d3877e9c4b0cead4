//! The pages of an import: the form that takes the file with the imports before it, one page for each import whatever
//! state it is in, and the files to download.

pub mod files;
pub mod form;
pub mod show;
mod view;
