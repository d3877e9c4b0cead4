//! The tables of what is ordered and provisioned: catalogue, ports, networks, connections, the fabric's work, limits.

diesel::table! {
    locations (key) {
        key -> BigInt,
        id -> Text,
        name -> Text,
        latitude_e6 -> BigInt,
        longitude_e6 -> BigInt,
        offered -> Bool,
    }
}

diesel::table! {
    facilities (key) {
        key -> BigInt,
        id -> Text,
        location_key -> BigInt,
        name -> Text,
        vendor -> Text,
        street -> Text,
        city -> Text,
        region -> Text,
        postal_code -> Text,
        country -> Text,
        state -> Text,
    }
}

diesel::table! {
    cloud_regions (key) {
        key -> BigInt,
        id -> Text,
        provider -> Text,
        name -> Text,
        provider_id -> Text,
        offered -> Bool,
    }
}

diesel::table! {
    supported_ports (key) {
        key -> BigInt,
        facility_key -> BigInt,
        provider -> Text,
        speed -> BigInt,
        domains -> Text,
        media_types -> Text,
        price_monthly -> Text,
        price_one_year -> Text,
        price_two_year -> Text,
        offered -> Bool,
    }
}

diesel::table! {
    supported_connections (key) {
        key -> BigInt,
        id -> Text,
        kind -> Text,
        location_key -> BigInt,
        speed -> BigInt,
        high_availability -> Bool,
        peering -> Text,
        cloud_regions -> Text,
        requires_approval -> Bool,
        pending -> Bool,
        price_monthly -> Text,
        price_one_year -> Text,
        price_two_year -> Text,
        offered -> Bool,
    }
}

diesel::table! {
    networks (key) {
        key -> BigInt,
        id -> Text,
        account_key -> BigInt,
        name -> Text,
        name_key -> Text,
        description -> Text,
        state -> Text,
        created_at -> Timestamp,
        deleted_at -> Nullable<Timestamp>,
        version -> BigInt,
    }
}

diesel::table! {
    ports (key) {
        key -> BigInt,
        id -> Text,
        account_key -> BigInt,
        name -> Text,
        name_key -> Text,
        description -> Text,
        loa_customer_name -> Text,
        facility_key -> BigInt,
        provider -> Text,
        availability_domain -> Text,
        speed -> BigInt,
        used_speed -> BigInt,
        media_type -> Text,
        term -> Text,
        price_code -> Text,
        state -> Text,
        available_to_child_accounts -> Bool,
        no_new_use_from -> Nullable<Timestamp>,
        device_id -> Text,
        interface_id -> Text,
        patch_panel_id -> Text,
        waits_for -> Text,
        look_at -> Timestamp,
        error_code -> Text,
        error_message -> Text,
        created_at -> Timestamp,
        active_at -> Nullable<Timestamp>,
        deleted_at -> Nullable<Timestamp>,
        version -> BigInt,
    }
}

diesel::table! {
    port_caps (port_key, account_key) {
        port_key -> BigInt,
        port_account_key -> BigInt,
        account_key -> BigInt,
        most_speed -> Nullable<BigInt>,
        most_connections -> Nullable<BigInt>,
        first_vlan -> Nullable<BigInt>,
        last_vlan -> Nullable<BigInt>,
        may_share -> Bool,
    }
}

diesel::table! {
    connections (key) {
        key -> BigInt,
        id -> Text,
        account_key -> BigInt,
        network_key -> Nullable<BigInt>,
        name -> Text,
        name_key -> Text,
        description -> Text,
        kind -> Text,
        location_key -> Nullable<BigInt>,
        supported_key -> Nullable<BigInt>,
        speed -> BigInt,
        high_availability -> Bool,
        term -> Text,
        price_code -> Text,
        settings -> Text,
        state -> Text,
        state_since -> Timestamp,
        error_code -> Text,
        error_message -> Text,
        waits_for -> Text,
        look_at -> Timestamp,
        ordered_by -> Nullable<BigInt>,
        attributes -> Text,
        link_down -> Bool,
        link_at -> Nullable<Timestamp>,
        created_at -> Timestamp,
        active_at -> Nullable<Timestamp>,
        deleted_at -> Nullable<Timestamp>,
        version -> BigInt,
    }
}

diesel::table! {
    connection_keys (connection_key, side) {
        connection_key -> BigInt,
        account_key -> BigInt,
        side -> Text,
        sealed -> Text,
    }
}

diesel::table! {
    connection_history (key) {
        key -> BigInt,
        connection_key -> BigInt,
        account_key -> BigInt,
        at -> Timestamp,
        state -> Text,
        error_code -> Text,
        message -> Text,
        user_key -> Nullable<BigInt>,
    }
}

diesel::table! {
    port_uses (port_key, vlan) {
        port_key -> BigInt,
        vlan -> BigInt,
        port_account_key -> BigInt,
        connection_key -> BigInt,
        account_key -> BigInt,
        side -> Text,
        speed -> BigInt,
    }
}

diesel::table! {
    resource_tags (subject_id, name) {
        account_key -> BigInt,
        subject_id -> Text,
        name -> Text,
        value -> Text,
    }
}

diesel::table! {
    intents (key) {
        key -> BigInt,
        id -> Text,
        account_key -> BigInt,
        subject_kind -> Text,
        subject_key -> BigInt,
        subject_id -> Text,
        act -> Text,
        number -> BigInt,
        state -> Text,
        attempts -> BigInt,
        next_try_at -> Timestamp,
        last_error -> Text,
        created_at -> Timestamp,
        finished_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    resource_limits (account_key, resource, reach) {
        account_key -> BigInt,
        resource -> Text,
        reach -> Text,
        most -> BigInt,
        set_at -> Timestamp,
    }
}

diesel::table! {
    suspensions (account_key) {
        account_key -> BigInt,
        suspended_at -> Timestamp,
        reason -> Text,
        user_key -> Nullable<BigInt>,
    }
}
