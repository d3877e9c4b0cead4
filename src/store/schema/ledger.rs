//! What things cost, what is used, charges and invoices: in the order of their migration.

diesel::table! {
    price_plans (key) {
        key -> BigInt,
        id -> Text,
        code -> Text,
        description -> Text,
        currency -> Text,
        charged_every -> Text,
        amount -> BigInt,
        setup_amount -> BigInt,
        term_months -> BigInt,
        effective_at -> Timestamp,
        loaded_at -> Timestamp,
    }
}

diesel::table! {
    ledger_items (key) {
        key -> BigInt,
        id -> Text,
        account_key -> BigInt,
        kind -> Text,
        subject_id -> Text,
        name -> Text,
        price_code -> Text,
        starts_at -> Timestamp,
        ends_at -> Timestamp,
        next_month -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    invoices (key) {
        key -> BigInt,
        id -> Text,
        payer_key -> BigInt,
        month -> Text,
        currency -> Text,
        state -> Text,
        number -> Nullable<BigInt>,
        total -> BigInt,
        lines -> BigInt,
        collection_method -> Text,
        bill_to -> Text,
        email -> Text,
        issued_at -> Nullable<Timestamp>,
        due_at -> Nullable<Timestamp>,
        settled_at -> Nullable<Timestamp>,
        provider_id -> Text,
        provider_state -> Text,
        round -> BigInt,
        means -> Text,
        trouble -> Text,
        tries -> BigInt,
        next_try_at -> Timestamp,
        overdue_at -> Nullable<Timestamp>,
        version -> BigInt,
        late_lines -> BigInt,
        set_aside_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    charges (key) {
        key -> BigInt,
        item_key -> BigInt,
        account_key -> BigInt,
        month -> Text,
        kind -> Text,
        name -> Text,
        price_code -> Text,
        description -> Text,
        currency -> Text,
        unit_amount -> BigInt,
        from_at -> Timestamp,
        days -> BigInt,
        days_in_month -> BigInt,
        amount -> BigInt,
        invoice_key -> Nullable<BigInt>,
        created_at -> Timestamp,
    }
}

diesel::table! {
    invoice_sections (invoice_key, account_key) {
        invoice_key -> BigInt,
        account_key -> BigInt,
        parent_key -> Nullable<BigInt>,
        name -> Text,
        name_key -> Text,
        own_amount -> BigInt,
        own_lines -> BigInt,
        amount -> BigInt,
        lines -> BigInt,
        accounts_count -> BigInt,
    }
}

diesel::table! {
    billing_months (month) {
        month -> Text,
        stage -> Text,
        after_key -> BigInt,
        started_at -> Timestamp,
        finished_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    price_visibility (account_key) {
        account_key -> BigInt,
        show_child_prices -> Bool,
        version -> BigInt,
    }
}
