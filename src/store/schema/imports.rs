//! Imports of child accounts and their lines: in the order of their migration.

diesel::table! {
    account_imports (key) {
        key -> BigInt,
        id -> Text,
        account_key -> BigInt,
        user_key -> BigInt,
        state -> Text,
        file_name -> Text,
        digest -> Text,
        head -> Text,
        second_factor -> Bool,
        address -> Text,
        user_agent -> Text,
        lines -> BigInt,
        created_at -> Timestamp,
        started_at -> Nullable<Timestamp>,
        finished_at -> Nullable<Timestamp>,
        claimed_until -> Timestamp,
    }
}

diesel::table! {
    account_import_lines (import_key, line) {
        import_key -> BigInt,
        line -> BigInt,
        turn -> BigInt,
        state -> Text,
        parent_line -> Nullable<BigInt>,
        parent_id -> Nullable<Text>,
        account_id -> Nullable<Text>,
        reason -> Text,
        data -> Text,
    }
}
