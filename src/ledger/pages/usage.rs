//! What an account uses and what it used in each month, whoever pays. What it costs is shown to those who may see it.

use actix_web::HttpResponse;
use actix_web::web::Query;
use askama::Template;
use serde::Deserialize;

use super::view::{LineView, Pager};
use crate::access::In;
use crate::access::policy::ReadBilling;
use crate::billing;
use crate::ids;
use crate::ledger::items::Kind;
use crate::ledger::month::{Month, words_of};
use crate::ledger::prices::{Plan, Prices};
use crate::ledger::showing::Sight;
use crate::ledger::store::usage::{self, Item, MonthSum};
use crate::ledger::{money, month};
use crate::problem::Problem;
use crate::store::Db;
use crate::web::paging::{Cursor, PAGE, PageQuery, Paged};
use crate::web::site::Keep;
use crate::web::when::When;
use crate::web::{Section, Shell, Site};

/// Months offered.
const MOST_MONTHS: i64 = 24;

/// Which month; none for what is used.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct UsageQuery {
    pub month: String,
    #[serde(flatten)]
    page: PageQuery,
}

#[derive(Template)]
#[template(path = "ledger/usage.html")]
struct UsagePage {
    shell: Shell,
    account: String,
    sentence: String,
    /// What things cost now.
    priced: bool,
    /// What any of the months came to.
    summed: bool,
    items: Vec<ItemView>,
    months: Vec<MonthView>,
    pager: Pager,
}

#[derive(Template)]
#[template(path = "ledger/usage_month.html")]
struct MonthPage {
    shell: Shell,
    account: String,
    month: String,
    priced: bool,
    lines: Vec<LineView>,
    pager: Pager,
}

struct ItemView {
    name: String,
    what: String,
    subject_id: String,
    since: When,
    until: Option<When>,
    price: String,
}

struct MonthView {
    month: String,
    words: String,
    lines: i64,
    amount: String,
}

/// GET /a/{account}/usage?month=
pub async fn show(by: In<ReadBilling>, site: Site, query: Query<UsageQuery>) -> Result<HttpResponse, Problem> {
    match Month::parse(&query.month) {
        Some(month) => of_month(&by, &site, month, &query.page).await,
        None => now(&by, &site, &query.page).await,
    }
}

async fn now(by: &In<ReadBilling>, site: &Site, query: &PageQuery) -> Result<HttpResponse, Problem> {
    let (grant, want) = (by.clone(), query.want());
    let read = move |db: &mut Db| {
        let account = grant.account().key;
        let items = usage::items(db, account, &want, PAGE)?;
        let months = usage::months(db, account, MOST_MONTHS)?;
        let payer = billing::payer(db, account)?;
        let prices = Prices::of(db, items.iter().map(|item| item.price_code.as_str()))?;
        Ok((items, months, prices, payer, Sight::of(db, grant.frame())?))
    };
    let (items, months, prices, payer, sight) = site.pool.read_long(read).await?;
    let paged = Paged::new(items, query, "", None, |item| Cursor(String::new(), item.key));
    let pager = Pager::of(&paged);
    let priced = sight.now();
    let all_seen = months.iter().all(|month| month.is_seen(&sight));
    let page = UsagePage {
        shell: site.shell(by, Section::Invoices, "Usage").noting(&pager.words),
        account: by.account().id.clone(),
        sentence: payer.sentence(by.frame()),
        priced,
        summed: months.iter().any(|month| month.is_seen(&sight)),
        items: paged.rows.iter().map(|item| item_view(item, &prices, sees_price(item, &sight, all_seen))).collect(),
        months: months.into_iter().map(|month| month_view(month, &sight)).collect(),
        pager,
    };
    site.page(&page, Keep::Nothing)
}

/// What the item costs today, or when it ended.
pub fn price_of<'a>(item: &Item, prices: &'a Prices) -> Option<&'a Plan> {
    let today = month::day_of(ids::now());
    prices.of_item(&item.price_code, item.starts_at, today.max(item.starts_at).min(item.ends_at))
}

/// Whether what the item costs is shown. Of one that ended that is what it cost: only where all that was charged is.
pub fn sees_price(item: &Item, sight: &Sight, all_seen: bool) -> bool {
    sight.now() && (all_seen || item.ends_at > month::day_of(ids::now()))
}

fn item_view(item: &Item, prices: &Prices, priced: bool) -> ItemView {
    let plan = price_of(item, prices);
    let price = |plan: &Plan| format!("{} a month", money::words(plan.amount, &plan.currency));
    let description = plan.map_or(item.price_code.as_str(), |plan| &plan.description);
    ItemView {
        name: item.name.clone(),
        what: format!("{}, {description}", Kind::words_of(&item.kind)),
        subject_id: item.subject_id.clone(),
        since: When::day(item.starts_at),
        until: (item.ends_at < ids::never()).then(|| When::day(item.ends_at)),
        price: plan.filter(|_| priced).map(price).unwrap_or_default(),
    }
}

impl MonthSum {
    /// A sum is shown where everything in it is.
    pub fn is_seen(&self, sight: &Sight) -> bool {
        self.payers.iter().all(|payer| sight.charged_to(*payer))
    }
}

fn month_view(sum: MonthSum, sight: &Sight) -> MonthView {
    MonthView {
        words: words_of(&sum.month),
        lines: sum.lines,
        amount: if sum.is_seen(sight) { money::words(sum.amount, &sum.currency) } else { String::new() },
        month: sum.month,
    }
}

async fn of_month(by: &In<ReadBilling>, site: &Site, month: Month, query: &PageQuery) -> Result<HttpResponse, Problem> {
    let (grant, want, stored) = (by.clone(), query.want(), month.to_string());
    let read = move |db: &mut Db| {
        let lines = usage::lines(db, grant.account().key, &stored, &want, PAGE)?;
        Ok((lines, Sight::of(db, grant.frame())?))
    };
    let (lines, sight) = site.pool.read_long(read).await?;
    let stored = month.to_string();
    let paged = Paged::new(lines, query, &format!("month={stored}"), None, |line| Cursor(String::new(), line.0.key));
    let pager = Pager::of(&paged);
    let page = MonthPage {
        shell: site.shell(by, Section::Invoices, &format!("Usage in {}", month.words())).noting(&pager.words),
        account: by.account().id.clone(),
        month: stored.clone(),
        priced: paged.rows.iter().any(|line| sight.charged_to(line.1)),
        lines: paged.rows.iter().map(|line| LineView::of(&line.0, &stored, sight.charged_to(line.1))).collect(),
        pager,
    };
    site.page(&page, Keep::Nothing)
}
