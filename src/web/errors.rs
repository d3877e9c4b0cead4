//! Error pages: words, not codes, what happened and what to do, in the layout of every page. They need no database,
//! script or picture.

use actix_session::SessionExt;
use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{StatusCode, header};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse, ResponseError};
use askama::Template;

use super::shell::{Section, Shell};
use crate::access::RequestId;
use crate::access::extract::Seen;
use crate::access::session::entry;
use crate::config::Config;
use crate::ids::Key;
use crate::problem::{Problem, Reason};
use crate::text;

/// What a page says about a problem.
pub struct Words {
    pub heading: String,
    pub happened: String,
    pub advice: String,
}

fn words(heading: &str, happened: impl Into<String>, advice: impl Into<String>) -> Words {
    Words { heading: heading.to_owned(), happened: happened.into(), advice: advice.into() }
}

const GO_BACK: &str = "Go back to the page before; what you typed is still there.";

/// How long somebody has to wait, in full minutes or, when it is long, hours.
fn wait(seconds: i64) -> String {
    match (seconds + 59) / 60 {
        minutes if minutes <= 120 => text::count(minutes, "minute", "minutes"),
        minutes => text::count((minutes + 59) / 60, "hour", "hours"),
    }
}

impl Problem {
    pub fn words(&self) -> Words {
        match self {
            Problem::NotFound => words(
                "Page not found",
                "There is nothing at this address, or you have no access to it.",
                "Check the address. If somebody sent you the link, ask them whether you have access to that account.",
            ),
            Problem::Forbidden { permission, helpers } => words(
                "You may not do this here",
                format!("It needs the permission “{permission}” in this account, and your roles do not include it."),
                match helpers.as_slice() {
                    [] => "Ask an administrator of this account.".to_owned(),
                    people => format!("{} can give it to you.", people.join(" or ")),
                },
            ),
            Problem::SignIn => words("Sign in", "You are not signed in, or your session ended.", "Sign in to go on."),
            Problem::Unproven => words(
                "Confirm that it is you",
                "This needs a sign-in of the last minutes.",
                "Enter your password once more to go on.",
            ),
            Problem::SecondFactor => words(
                "This account asks for a second factor",
                "You signed in without one.",
                "Use yours, or set one up in your profile.",
            ),
            Problem::Invalid(errors) => {
                words("There is a problem", errors.0.first().map_or("", |(_, message)| message).to_owned(), GO_BACK)
            }
            Problem::Conflict(reason) => reason.words(),
            Problem::TooMany { seconds } => words(
                "Too many attempts",
                "There were too many attempts from here in a short time.",
                format!("Wait {} and try again.", wait(*seconds)),
            ),
            Problem::TooLarge => words(
                "That is too much at once",
                "What was sent is larger than this page takes (2 MB).",
                "Go back and shorten it. Nothing was saved.",
            ),
            Problem::Malformed(why) => {
                words("That could not be read", *why, "Go back, load the page again and repeat it. Nothing was saved.")
            }
            Problem::CrossSite => words(
                "This form did not come from here",
                "The form has no valid token of your session: it is from another site, or from before you signed in.",
                "Go back, load the page again and send it once more. Nothing was saved.",
            ),
            Problem::Unavailable(_) => words(
                "Not available right now",
                "The console cannot reach its database or it is too busy. Nothing was changed.",
                "Try again in a moment. What was confirmed before is safe.",
            ),
            Problem::Bug(_) => words(
                "Something went wrong on our side",
                "Nothing was changed.",
                "Try again. If it happens once more, send the request id below to your support contact.",
            ),
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Problem::NotFound => StatusCode::NOT_FOUND,
            Problem::Forbidden { .. } | Problem::CrossSite => StatusCode::FORBIDDEN,
            Problem::SignIn | Problem::Unproven | Problem::SecondFactor => StatusCode::SEE_OTHER,
            Problem::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Problem::Conflict(Reason::LinkIsSpent) => StatusCode::GONE,
            Problem::Conflict(_) => StatusCode::CONFLICT,
            Problem::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Problem::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Problem::Malformed(_) => StatusCode::BAD_REQUEST,
            Problem::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Problem::Bug(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl Reason {
    /// As a form says it that comes back because of it.
    pub fn in_form(&self) -> String {
        let words = self.words();
        format!("{}. {} {}", words.heading, words.happened, words.advice)
    }

    pub fn words(&self) -> Words {
        match self {
            Reason::Stale => words(
                "Somebody changed this in the meantime",
                "What you saw is not what is stored any more. Nothing of yours was saved.",
                "Load the page again and repeat your change.",
            ),
            Reason::FormReused => words(
                "This form was already sent",
                "It was carried out with other contents before.",
                "Load the page again and start a new one.",
            ),
            Reason::HasChildAccounts(n) => words(
                "This account still has child accounts",
                format!("{} directly below it must be closed first.", text::count(*n, "account", "accounts")),
                "Close the accounts below, beginning with the lowest.",
            ),
            Reason::HasLiveConnections(n) => words(
                "This account still has live connections",
                format!("{} must be deleted first.", text::count(*n, "connection", "connections")),
                "Delete the connections, then close the account.",
            ),
            Reason::RootCannotBeClosed => words(
                "A root account cannot be closed here",
                "No account above it could restore it.",
                "Write to your support contact to end the whole contract.",
            ),
            Reason::CannotBeRestored => words(
                "This account cannot be restored",
                "It was closed more than 30 days ago, or the account above it is closed.",
                "Create a new child account instead.",
            ),
            Reason::TooDeep(most) => words(
                "The tree of accounts is too deep here",
                format!("Accounts can be nested {most} levels deep."),
                "Create the account at a higher level.",
            ),
            Reason::Cycle => words(
                "An account cannot be below itself",
                "The new parent is the account itself or one of the accounts below it.",
                "Choose another parent.",
            ),
            Reason::BillingCannotBeRemoved { accounts, connections } => words(
                "This payment method is still needed",
                format!(
                    "{} with {} would be left without anybody who pays.",
                    text::count(*accounts, "account", "accounts"),
                    text::count(*connections, "live connection", "live connections")
                ),
                "Give those accounts a payment method of their own first, or delete their connections.",
            ),
            Reason::BillingExists => words(
                "This account already has a payment method",
                "An account has at most one of its own.",
                "Change that one instead.",
            ),
            Reason::Unconfirmed => words(
                "This has to be confirmed first",
                "It has effects on other accounts that were not confirmed, or that changed since. Nothing was saved.",
                "Load the page again and look at the effects.",
            ),
            Reason::AdminAccessMustExist => words(
                "Somebody must stay in charge",
                "Each root account keeps at least one direct member who is an administrator.",
                "Make somebody else an administrator without an end date first.",
            ),
            Reason::MoreThanHeld => words(
                "You cannot give what you do not hold",
                "It would reach further, last longer, or allow more, than your own roles do.",
                "Ask somebody who holds it, or choose less.",
            ),
            Reason::RoleIsBuiltIn => words(
                "Built-in roles stay as they are",
                "Every account relies on them.",
                "Copy the role and change the copy.",
            ),
            Reason::RoleIsInherited => words(
                "This role belongs to an account above",
                "It can be used here, and is changed where it belongs.",
                "Copy the role and change the copy.",
            ),
            Reason::RoleInUse { given, invited } => words(
                "This role is in use",
                format!(
                    "It is given {}, and {} it.",
                    text::count(*given, "time", "times"),
                    text::count(*invited, "open invitation offers", "open invitations offer")
                ),
                "Give those people another role, and withdraw those invitations, first.",
            ),
            Reason::RolesStayBehind(n) => words(
                "Roles that are in use here belong to an account above",
                format!("{} of them would not exist at the new place.", text::count(*n, "assignment", "assignments")),
                "Give those people other roles first: of the account itself, or of one that is above both places.",
            ),
            Reason::LinkIsSpent => words(
                "This link does not work any more",
                "It was used or withdrawn, it ran out, or a newer one took its place.",
                "Ask for a new one where this one came from.",
            ),
            Reason::HasLivePorts(n) => words(
                "This account still has ports",
                format!("{} must be deleted first.", text::count(*n, "port", "ports")),
                "Delete the ports, then close the account.",
            ),
            Reason::PortsStayBehind(n) => words(
                "Ports of an account above are in use here",
                format!(
                    "{} of them would not be offered at the new place.",
                    text::count(*n, "use or cap", "uses and caps")
                ),
                "Delete those connections, or have the caps taken away, first.",
            ),
            Reason::NetworkHasConnections(n) => words(
                "This network still has connections",
                format!("{} must be deleted first.", text::count(*n, "connection", "connections")),
                "Delete the connections, then the network.",
            ),
            Reason::PortUsedBelow(n) => words(
                "Accounts below use this port",
                format!("{} would lose it.", text::count(*n, "connection", "connections")),
                "Have them deleted first, or set a day from which nothing new begins on it.",
            ),
            Reason::PortHasConnections(n) => words(
                "This port is in use",
                format!("{} must be deleted first.", text::count(*n, "connection", "connections")),
                "Delete the connections, then the port.",
            ),
            Reason::PortState(_) => words(
                "The port's state does not allow this",
                "It changed since the page was shown.",
                "Look at the port again.",
            ),
            Reason::PortNotAvailable => words(
                "This port cannot be used here",
                "It is not a port of this account, nor is it offered to it now.",
                "Choose another port.",
            ),
            Reason::VlanInUse(vlan) => words(
                "This VLAN is taken",
                format!("VLAN {vlan} of the port belongs to another connection."),
                "Choose another VLAN.",
            ),
            Reason::PortIsFull(left) => words(
                "The port has not enough capacity left",
                format!("{} of it are free.", text::speed(*left)),
                "Choose a lower speed or another port.",
            ),
            Reason::PortCap(cap) => {
                words("The port's owner allows less here", cap.clone(), "Choose within it, or ask the port's owner.")
            }
            Reason::NotReady(_) => words(
                "This account may not provision now",
                "Agreements, a payment method, or something else is missing.",
                "See the page Readiness for every reason and who can remove it.",
            ),
            Reason::LimitReached { resource, most } => words(
                "A limit is reached",
                format!("This account, or one above it, may have {most} {resource}."),
                "Delete what is not needed, or ask an administrator of an account above for a higher limit.",
            ),
            Reason::SuspendedAbove => words(
                "An account above is suspended",
                "What is below it stays below it until it is resumed.",
                "Ask whoever suspended it.",
            ),
            Reason::ConnectionState(_) | Reason::ConnectionUpdate(_) | Reason::ConnectionDelete(_) => words(
                "The connection's state does not allow this",
                "It changed since the page was shown, or is being worked on.",
                "Look at the connection again.",
            ),
            Reason::NotSupported(why) => words("This cannot be ordered", *why, "Choose something else."),
            Reason::AlreadyConsented => words(
                "Already accepted",
                "This account is bound by these versions already.",
                "There is nothing left to do here.",
            ),
        }
    }
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    shell: Shell,
    words: Words,
    code: &'static str,
    request_id: String,
}

#[derive(Template)]
#[template(path = "error_in_account.html")]
struct ErrorInAccount {
    shell: Shell,
    words: Words,
    code: &'static str,
    request_id: String,
    home: String,
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status()
    }

    /// A plain text for what no page could be made of; [`dress`] puts the page in its place.
    fn error_response(&self) -> HttpResponse<BoxBody> {
        let words = self.words();
        HttpResponse::build(self.status())
            .insert_header((header::CONTENT_TYPE, "text/plain; charset=utf-8"))
            .body(format!("{}\n\n{}\n{}\n", words.heading, words.happened, words.advice))
    }
}

/// Turns every refused request into a page, wherever the refusal came from.
pub async fn dress<B: MessageBody + 'static>(
    req: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, Error> {
    let res = next.call(req).await?;
    let status = res.status();
    let request_id = id_of(res.request());
    let described = |problem: &Problem| described(problem, &request_id);
    let problem = match res.response().error() {
        Some(error) => match error.as_error::<Problem>() {
            Some(problem) => Some(described(problem)),
            // What actix itself refuses: a path that is not text, a query that cannot be read.
            None => Some(described(&Problem::Malformed("The address or the form could not be read."))),
        },
        None if status == StatusCode::NOT_FOUND && !has_page(&res) => Some(described(&Problem::NotFound)),
        None if status == StatusCode::METHOD_NOT_ALLOWED => {
            Some(described(&Problem::Malformed("This address cannot be used in that way.")).with(status))
        }
        None => None,
    };
    let Some(described) = problem else { return Ok(res.map_into_left_body()) };
    let (request, _) = res.into_parts();
    let page = page(&request, described);
    Ok(ServiceResponse::new(request, page).map_into_right_body())
}

fn id_of(req: &HttpRequest) -> String {
    req.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default()
}

fn has_page<B>(res: &ServiceResponse<B>) -> bool {
    res.headers().contains_key(header::CONTENT_TYPE)
}

/// A problem as the page shows it.
struct Described {
    status: StatusCode,
    words: Words,
    code: &'static str,
    /// The page that asks who this is.
    sign_in: Option<&'static str>,
    retry_after: Option<i64>,
}

impl Described {
    fn with(mut self, status: StatusCode) -> Described {
        self.status = status;
        self
    }
}

fn described(problem: &Problem, request_id: &str) -> Described {
    match problem {
        Problem::Bug(cause) => tracing::error!(request_id, error = format!("{cause:#}"), "a bug"),
        Problem::Unavailable(cause) => tracing::warn!(request_id, error = format!("{cause:#}"), "unavailable"),
        Problem::Forbidden { .. } | Problem::CrossSite => tracing::warn!(request_id, %problem, "refused"),
        _ => {}
    }
    Described {
        status: problem.status(),
        words: problem.words(),
        code: match problem {
            // Whoever follows a link can do nothing with a code.
            Problem::Conflict(Reason::LinkIsSpent) => "",
            Problem::Conflict(reason) => reason.code(),
            _ => "",
        },
        sign_in: asking_page(problem),
        retry_after: match problem {
            Problem::TooMany { seconds } => Some(*seconds),
            Problem::Unavailable(_) => Some(2),
            _ => None,
        },
    }
}

fn page(req: &HttpRequest, described: Described) -> HttpResponse {
    if let Some(page) = described.sign_in {
        return to_sign_in(req, page);
    }
    let request_id = id_of(req);
    let Some(config) = req.app_data::<Data<Config>>() else {
        return HttpResponse::build(described.status).finish();
    };
    let seen = req.extensions().get::<Seen>().map(|seen| (seen.0.clone(), seen.1.clone()));
    let Described { status, words, code, retry_after, .. } = described;
    let body = match seen {
        Some((frame, session)) => {
            let section = req.path().split('/').nth(3).and_then(Section::of_slug).unwrap_or(Section::Dashboard);
            let shell = Shell::of_account(req, config, &words.heading, section, &frame, &session);
            let home = format!("/a/{}/dashboard", frame.account().id);
            ErrorInAccount { shell, words, code, request_id, home }.render()
        }
        None => {
            let shell = Shell::bare(req, config, &words.heading, "");
            ErrorPage { shell, words, code, request_id }.render()
        }
    };
    let mut answer = HttpResponse::build(status);
    answer.insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"));
    if let Some(seconds) = retry_after {
        answer.insert_header((header::RETRY_AFTER, seconds.to_string()));
    }
    answer.body(body.unwrap_or_default())
}

/// The page that asks for what this request came without.
pub fn asking_page(problem: &Problem) -> Option<&'static str> {
    match problem {
        Problem::SignIn => Some(SIGN_IN),
        Problem::Unproven => Some(SIGN_IN_AGAIN),
        Problem::SecondFactor => Some(SECOND_STEP),
        _ => None,
    }
}

pub const SIGN_IN: &str = "/sign-in";
const SIGN_IN_AGAIN: &str = "/sign-in/again";
pub const SECOND_STEP: &str = "/sign-in/second";

/// To a page that asks who this is, with the way back to a page that can be shown again.
fn to_sign_in(req: &HttpRequest, page: &str) -> HttpResponse {
    let back = if req.method().is_safe() { req.uri().to_string() } else { req.path().to_owned() };
    let query = match req.path() {
        // The way back is where that one leads.
        SIGN_IN_AGAIN | SECOND_STEP => req.query_string().to_owned(),
        _ => url::form_urlencoded::Serializer::new(String::new()).append_pair("back", &back).finish(),
    };
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, format!("{page}?{query}")))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .finish()
}

/// Whose session this was, when the request carries one that ended.
pub fn ended_user(req: &HttpRequest) -> Option<Key> {
    req.get_session().get::<Key>(entry::ENDED_USER).ok().flatten()
}
