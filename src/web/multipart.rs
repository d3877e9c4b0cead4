//! A form that carries a file, read into the same pairs that every other form is: the file's text under its field's name,
//! what the file was called under that name and [`NAME_OF`]. The body is whole and bounded before it comes here; nothing
//! is written to a disk, and bytes that are no text become the character that stands for those.

use std::convert::Infallible;

use actix_web::web::Bytes;
use futures_util::{FutureExt, future, stream};
use multer::Multipart;
use url::form_urlencoded::Serializer;

use crate::problem::Problem;

/// Comes after the name of a file's field and makes that of its name.
pub const NAME_OF: &str = ".name";

/// Parts of one form; no page of ours has nearly as many.
const MOST_PARTS: usize = 50;

const BROKEN: Problem = Problem::Malformed("The form did not arrive whole.");

/// The text between the parts, if the form is sent in parts.
pub fn boundary(content_type: &str) -> Option<String> {
    multer::parse_boundary(content_type).ok()
}

/// The same form as a body of the ordinary kind.
pub fn as_form(body: Bytes, boundary: &str) -> Result<Bytes, Problem> {
    // The body is here as a whole, so that nothing is waited for.
    read(body, boundary).now_or_never().unwrap_or(Err(BROKEN))
}

async fn read(body: Bytes, boundary: &str) -> Result<Bytes, Problem> {
    let mut parts = Multipart::new(stream::once(future::ready(Ok::<_, Infallible>(body))), boundary);
    let mut form = Serializer::new(String::new());
    while let Some((n, part)) = parts.next_field_with_idx().await.map_err(|_| BROKEN)? {
        if n >= MOST_PARTS {
            return Err(Problem::Malformed("The form has more fields than any page of this console."));
        }
        let name = unescaped(part.name().ok_or(BROKEN)?);
        let file = part.file_name().map(unescaped);
        let content = part.bytes().await.map_err(|_| BROKEN)?;
        form.append_pair(&name, &String::from_utf8_lossy(&content));
        if let Some(file) = file {
            form.append_pair(&format!("{name}{NAME_OF}"), &file);
        }
    }
    Ok(form.finish().into())
}

/// As browsers write what would end the name.
fn unescaped(name: &str) -> String {
    name.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Option<String> {
        let body = body.replace('\n', "\r\n");
        as_form(body.into(), "x-y").ok().map(|form| String::from_utf8(form.to_vec()).unwrap())
    }

    #[test]
    fn parts_become_pairs() {
        let body = "--x-y\nContent-Disposition: form-data; name=\"_token\"\n\nabc\n--x-y\n\
            content-disposition: form-data; name=\"file\"; filename=\"a;b %22c%22.csv\"\nContent-Type: text/csv\n\n\
            name\n--x-\n\n--x-y--\n";
        let form = read(body).unwrap();
        assert_eq!(form, "_token=abc&file=name%0D%0A--x-%0D%0A&file.name=a%3Bb+%22c%22.csv");
        assert_eq!(read("--x-y--\n").unwrap(), "");
    }

    #[test]
    fn what_is_no_form_is_refused() {
        for broken in
            ["", "--x-y", "--x-y\n", "--x-y\nname", "--x-y\nA: b\n\nx\n--x-y--", "--other--", "--x-y\n\n\nx\n--x-y--"]
        {
            assert!(read(broken).is_none(), "{broken:?}");
        }
        let part = "--x-y\nContent-Disposition: form-data; name=\"a\"\n\n1\n";
        assert!(read(&format!("{}--x-y--", part.repeat(50))).is_some());
        assert!(read(&format!("{}--x-y--", part.repeat(51))).is_none());
    }

    #[test]
    fn the_boundary_is_in_the_type() {
        assert_eq!(boundary("multipart/form-data; boundary=----WebKit7").as_deref(), Some("----WebKit7"));
        assert_eq!(boundary("Multipart/Form-Data;charset=x; Boundary=\"a b\"").as_deref(), Some("a b"));
        for other in ["multipart/form-data", "text/plain; boundary=x"] {
            assert_eq!(boundary(other), None, "{other}");
        }
    }
}
