//! One set of tables for both databases, in the order of the migration. Kept by hand; `tests/it/store.rs` compares it
//! with what the migration makes. The tables of the ledger are in [`ledger`], those of what is ordered in [`fabric`].

mod fabric;
mod imports;
mod ledger;

pub use fabric::*;
pub use imports::*;
pub use ledger::*;

diesel::table! {
    users (key) {
        key -> BigInt,
        id -> Text,
        email -> Text,
        email_key -> Text,
        first_name -> Text,
        last_name -> Text,
        company -> Text,
        password_hash -> Text,
        theme -> Text,
        last_account_key -> Nullable<BigInt>,
        created_at -> Timestamp,
        version -> BigInt,
        name_key -> Text,
        last_seen_at -> Nullable<Timestamp>,
        email_verified_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    sessions (token_hash) {
        token_hash -> Text,
        id -> Text,
        user_key -> Nullable<BigInt>,
        state -> Text,
        address -> Text,
        user_agent -> Text,
        created_at -> Timestamp,
        last_used_at -> Timestamp,
        expires_at -> Timestamp,
        fresh_at -> Timestamp,
        second_factor -> Bool,
    }
}

diesel::table! {
    authenticator_apps (user_key) {
        user_key -> BigInt,
        sealed -> Text,
        last_step -> BigInt,
        created_at -> Timestamp,
        last_used_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    passkeys (key) {
        key -> BigInt,
        id -> Text,
        user_key -> BigInt,
        name -> Text,
        credential_id -> Text,
        credential -> Text,
        created_at -> Timestamp,
        last_used_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    recovery_codes (user_key, code_hash) {
        user_key -> BigInt,
        code_hash -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    spent_challenges (digest) {
        digest -> Text,
        spent_at -> Timestamp,
    }
}

diesel::table! {
    throttles (bucket) {
        bucket -> Text,
        window_started_at -> Timestamp,
        failures -> BigInt,
    }
}

diesel::table! {
    accounts (key) {
        key -> BigInt,
        id -> Text,
        parent_key -> Nullable<BigInt>,
        parent_depth -> Nullable<BigInt>,
        root_key -> BigInt,
        depth -> BigInt,
        name -> Text,
        name_key -> Text,
        description -> Text,
        contacts -> Text,
        children_count -> BigInt,
        closed_at -> Nullable<Timestamp>,
        created_at -> Timestamp,
        version -> BigInt,
        requires_second_factor -> Bool,
        below_count -> BigInt,
        external_reference -> Nullable<Text>,
    }
}

diesel::table! {
    account_ancestry (descendant_key, ancestor_key) {
        descendant_key -> BigInt,
        ancestor_key -> BigInt,
        distance -> BigInt,
        name_key -> Text,
    }
}

diesel::table! {
    readiness_counts (account_key) {
        account_key -> BigInt,
        counted_at -> Timestamp,
        accounts -> BigInt,
        ready -> BigInt,
        awaiting_agreements -> BigInt,
        awaiting_payment -> BigInt,
        suspended -> BigInt,
        over_limit -> BigInt,
    }
}

diesel::table! {
    account_tags (account_key, name) {
        account_key -> BigInt,
        name -> Text,
        value -> Text,
        value_key -> Text,
    }
}

diesel::table! {
    roles (key) {
        key -> BigInt,
        id -> Text,
        account_key -> BigInt,
        name -> Text,
        name_key -> Text,
        description -> Text,
        permissions -> BigInt,
        built_in -> Bool,
        created_at -> Timestamp,
        version -> BigInt,
    }
}

diesel::table! {
    assignments (key) {
        key -> BigInt,
        account_key -> BigInt,
        user_key -> BigInt,
        role_key -> BigInt,
        role_account_key -> BigInt,
        scope -> Text,
        granted_by -> Nullable<BigInt>,
        created_at -> Timestamp,
        ends_at -> Timestamp,
    }
}

diesel::table! {
    invitations (key) {
        key -> BigInt,
        id -> Text,
        account_key -> BigInt,
        email -> Text,
        email_key -> Text,
        scope -> Text,
        ends_at -> Timestamp,
        message -> Text,
        token_hash -> Text,
        invited_by -> BigInt,
        state -> Text,
        accepted_by -> Nullable<BigInt>,
        created_at -> Timestamp,
        sent_at -> Timestamp,
        expires_at -> Timestamp,
        mailed -> Bool,
    }
}

diesel::table! {
    invitation_roles (invitation_key, role_key) {
        invitation_key -> BigInt,
        role_key -> BigInt,
    }
}

diesel::table! {
    mails (key) {
        key -> BigInt,
        id -> Text,
        kind -> Text,
        account_key -> Nullable<BigInt>,
        to_address -> Text,
        subject -> Text,
        state -> Text,
        attempts -> BigInt,
        due_at -> Timestamp,
        last_error -> Text,
        created_at -> Timestamp,
        done_at -> Nullable<Timestamp>,
        letter -> Text,
    }
}

diesel::table! {
    mailed_links (key) {
        key -> BigInt,
        kind -> Text,
        state -> Text,
        user_key -> Nullable<BigInt>,
        email -> Text,
        token_hash -> Nullable<Text>,
        browser_hash -> Text,
        address -> Text,
        user_agent -> Text,
        request_id -> Text,
        created_at -> Timestamp,
        expires_at -> Timestamp,
    }
}

diesel::table! {
    sent_reminders (account_key, user_key, role_key, ends_at, days) {
        account_key -> BigInt,
        user_key -> BigInt,
        role_key -> BigInt,
        ends_at -> Timestamp,
        days -> BigInt,
    }
}

diesel::table! {
    legal_documents (key) {
        key -> BigInt,
        document -> Text,
        version -> BigInt,
        title -> Text,
        body -> Text,
        sha256 -> Text,
        effective_at -> Timestamp,
        published_at -> Timestamp,
    }
}

diesel::table! {
    consents (key) {
        key -> BigInt,
        id -> Text,
        account_key -> BigInt,
        document_key -> BigInt,
        user_key -> BigInt,
        from_account_key -> BigInt,
        address -> Text,
        accepted_at -> Timestamp,
    }
}

diesel::table! {
    payment_methods (account_key) {
        account_key -> BigInt,
        id -> Text,
        collection_method -> Text,
        name -> Text,
        email -> Text,
        street -> Text,
        city -> Text,
        state -> Text,
        postal_code -> Text,
        country -> Text,
        allow_child_accounts -> Bool,
        verified -> Bool,
        created_at -> Timestamp,
        version -> BigInt,
        provider_id -> Text,
        brand -> Text,
        last_four -> Text,
        holder_type -> Text,
        expires_at -> Timestamp,
        failed_at -> Nullable<Timestamp>,
        charged_at -> Nullable<Timestamp>,
        pays_until -> Timestamp,
        permitted_at -> Nullable<Timestamp>,
        permitted_by -> Nullable<BigInt>,
    }
}

diesel::table! {
    provider_customers (account_key) {
        account_key -> BigInt,
        id -> Text,
    }
}

diesel::table! {
    payment_setups (account_key) {
        account_key -> BigInt,
        id -> Text,
        state -> Text,
        collection_method -> Text,
        name -> Text,
        email -> Text,
        street -> Text,
        city -> Text,
        state_name -> Text,
        postal_code -> Text,
        country -> Text,
        allow_child_accounts -> Bool,
        confirmed -> Text,
        intent -> Text,
        round -> BigInt,
        last_four -> Text,
        brand -> Text,
        tries -> BigInt,
        created_at -> Timestamp,
        begun_over -> Text,
        permitted_at -> Nullable<Timestamp>,
        permitted_by -> Nullable<BigInt>,
    }
}

diesel::table! {
    provider_tries (bucket) {
        bucket -> Text,
        started_at -> Timestamp,
        tried -> BigInt,
    }
}

diesel::table! {
    provider_events (id) {
        id -> Text,
        kind -> Text,
        received_at -> Timestamp,
    }
}

diesel::table! {
    sent_payment_warnings (account_key, provider_id, ends_at, days) {
        account_key -> BigInt,
        provider_id -> Text,
        ends_at -> Timestamp,
        days -> BigInt,
        told_below -> Nullable<BigInt>,
    }
}

diesel::table! {
    favourites (user_key, account_key) {
        user_key -> BigInt,
        account_key -> BigInt,
        created_at -> Timestamp,
    }
}

diesel::table! {
    recents (user_key, account_key) {
        user_key -> BigInt,
        account_key -> BigInt,
        visited_at -> Timestamp,
    }
}

diesel::table! {
    submissions (user_key, form_key) {
        user_key -> BigInt,
        form_key -> Text,
        digest -> Text,
        location -> Text,
        flash -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    kept_forms (id) {
        id -> Text,
        user_key -> BigInt,
        path -> Text,
        body -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    installation (only_row) {
        only_row -> BigInt,
        cookie_key -> Text,
        purpose -> Text,
        created_at -> Timestamp,
        secret_key -> Text,
    }
}

diesel::table! {
    audit_entries (key) {
        key -> BigInt,
        id -> Text,
        at -> Timestamp,
        actor_key -> Nullable<BigInt>,
        acting_from_key -> Nullable<BigInt>,
        account_key -> Nullable<BigInt>,
        event_type -> Text,
        subject_type -> Text,
        subject_id -> Text,
        subject_name -> Text,
        before -> Text,
        after -> Text,
        result -> Text,
        source -> Text,
        address -> Text,
        user_agent -> Text,
        request_id -> Text,
        acting_role -> Text,
    }
}

diesel::table! {
    audit_scope (account_key, entry_key) {
        account_key -> BigInt,
        entry_key -> BigInt,
        own -> Bool,
    }
}

diesel::joinable!(account_tags -> accounts (account_key));
diesel::joinable!(connections -> accounts (account_key));
diesel::joinable!(connections -> networks (network_key));
diesel::joinable!(connections -> locations (location_key));
diesel::joinable!(networks -> accounts (account_key));
diesel::joinable!(ports -> accounts (account_key));
diesel::joinable!(ports -> facilities (facility_key));
diesel::joinable!(facilities -> locations (location_key));
diesel::joinable!(supported_ports -> facilities (facility_key));
diesel::joinable!(supported_connections -> locations (location_key));
diesel::joinable!(port_uses -> connections (connection_key));
diesel::joinable!(port_uses -> ports (port_key));
diesel::joinable!(connection_history -> users (user_key));
diesel::joinable!(sessions -> users (user_key));
diesel::joinable!(consents -> legal_documents (document_key));
diesel::joinable!(consents -> users (user_key));
diesel::joinable!(payment_methods -> accounts (account_key));
diesel::joinable!(roles -> accounts (account_key));
diesel::joinable!(assignments -> roles (role_key));
diesel::joinable!(assignments -> users (user_key));
diesel::joinable!(invitation_roles -> invitations (invitation_key));
diesel::joinable!(favourites -> accounts (account_key));
diesel::joinable!(recents -> accounts (account_key));
diesel::joinable!(audit_scope -> audit_entries (entry_key));
diesel::joinable!(charges -> invoices (invoice_key));
diesel::joinable!(invoice_sections -> invoices (invoice_key));
diesel::joinable!(invoice_sections -> accounts (account_key));
diesel::allow_tables_to_appear_in_same_query!(
    users,
    sessions,
    authenticator_apps,
    passkeys,
    recovery_codes,
    spent_challenges,
    throttles,
    accounts,
    account_ancestry,
    readiness_counts,
    account_tags,
    roles,
    assignments,
    invitations,
    invitation_roles,
    mails,
    mailed_links,
    sent_reminders,
    legal_documents,
    consents,
    payment_methods,
    provider_customers,
    payment_setups,
    provider_tries,
    provider_events,
    sent_payment_warnings,
    favourites,
    recents,
    submissions,
    kept_forms,
    locations,
    facilities,
    cloud_regions,
    supported_ports,
    supported_connections,
    networks,
    ports,
    port_caps,
    connections,
    connection_keys,
    connection_history,
    port_uses,
    resource_tags,
    intents,
    resource_limits,
    suspensions,
    installation,
    audit_entries,
    audit_scope,
    price_plans,
    ledger_items,
    invoices,
    charges,
    invoice_sections,
    billing_months,
    price_visibility,
    account_imports,
    account_import_lines,
);
