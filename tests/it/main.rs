//! One test program. `world` makes a small world by name on a database of its own, `browser` acts in it through HTTP
//! as a person's browser would, `page` reads the answers as the person does. Everything runs in the process against
//! the app that the binary serves; only `crash` starts the binary. SQLite by default, PostgreSQL where
//! TEST_DATABASE_URL names a server on which databases may be made and dropped.

mod browser;
mod charge;
mod command_acts;
mod command_grants;
mod command_members;
mod command_model;
mod command_rules;
mod crash;
mod crawl;
mod deputy;
mod dump;
mod forms;
mod invited;
mod mailbox;
mod nasty;
mod page;
mod place;
mod post_office;
mod powers;
mod usage;
mod world;

mod access;
mod addresses;
mod agreements;
mod attenuation;
mod chain;
mod explain;
mod factor;
mod fresh;
mod fuzz;
mod headers;
mod history;
mod homes;
mod house;
mod invite_limits;
mod invites;
mod joining;
mod journeys;
mod ledger;
mod log;
mod mail;
mod members;
mod model;
mod models;
mod money;
mod outage;
mod profile;
mod proof;
mod protect;
mod queries;
mod races;
mod reminders;
mod requirement;
mod reset;
mod revocation;
mod roles;
mod security;
mod shapes;
mod tabs;
mod throttle;
mod twins;
