//! What to do about an error code, and what the codes of waiting mean.

/// What to do about a connection with this error.
pub fn of_error(code: &str) -> &'static str {
    match code {
        "VLAN_IN_USE" | "INVALID_VLAN" | "INVALID_VLAN_RANGE" | "INVALID_VLAN_FOR_CONNECTION" => {
            "Choose another VLAN, and agree on it with whoever runs the other side of the port."
        }
        "INVALID_CUSTOMER_ASN" => "Enter the ASN that your router really uses.",
        "INSUFFICIENT_CAPACITY" => "Try again later, choose a lower speed, or another location.",
        "NO_PORT_FOUND_FOR_CONNECTION" => "The port is gone or not shared any more. Order over another port.",
        "CONNECTION_SPEED_GREATER_THAN_PORT_SPEED" => "Choose a speed that the port has.",
        "CONNECTION_CONFIGURATION_NOT_SUPPORTED" | "SUPPORTED_CONNECTION_IS_PENDING" => {
            "It is not offered like this now. Delete this order and place another."
        }
        "INVALID_EXPRESS_ROUTE_SERVICE_KEY" | "EXPRESS_ROUTE_SERVICE_KEY_ALREADY_IN_USE" => {
            "Make a new ExpressRoute circuit in Azure and order with its service key."
        }
        "EXPRESS_ROUTE_SERVICE_KEY_BANDWIDTH_MISMATCH" | "ORACLE_OCID_BANDWIDTH_MISMATCH" => {
            "Order the speed that the circuit has at the cloud provider."
        }
        "EXPRESS_ROUTE_SERVICE_UNAVAILABLE"
        | "ORACLE_FAST_CONNECT_SERVICE_UNAVAILABLE"
        | "GOOGLE_OPERATION_TIMEOUT" => "The cloud provider did not answer. Try again in some minutes.",
        "INVALID_GOOGLE_PAIRING_KEY" => "Make a new VLAN attachment at Google and order with its pairing key.",
        "MISSING_GCI_CLOUD_ROUTER_IP_ADDRESS" => "Give the attachment's Cloud Router an address, then try again.",
        "INVALID_ORACLE_OCID" | "ORACLE_OCID_ALREADY_IN_USE" => {
            "Make a new virtual circuit at Oracle and order with its OCID."
        }
        "INVALID_AWS_REGION" => "Order again with the region that your AWS account uses.",
        "AWS_CONNECTION_HAS_ACTIVE_VIFS" | "AWS_CONNECTION_DELETE_ERROR" => {
            "Delete the virtual interfaces in your AWS account, then delete the connection again."
        }
        "GOOGLE_INTERCONNECT_ATTACHMENT_DELETE_ERROR" => {
            "Delete the attachment at Google, then delete the connection again."
        }
        "CONNECTION_DELETING_ERROR" => "Delete it once more. If that fails too, ask your support contact.",
        "CONNECTION_UPDATING_ERROR" | "CONNECTION_UPDATE_SPEED_ERROR" => {
            "What was there before goes on. Save the change once more, or choose something else."
        }
        "CONNECTION_PROVISIONING_ERROR" | "GATEWAY_PROVISIONING_ERROR" | "NETWORK_PROVISIONING_ERROR" => {
            "Check what you entered and try again. If it fails again, ask your support contact with the id of this connection."
        }
        _ => "Try again. If it fails again, ask your support contact with the id of this connection.",
    }
}

/// What holds an order up: the words, and where in the account something can be done about it.
pub fn of_waiting(code: &str) -> (String, &'static str) {
    let (words, section) = match code {
        "AGREEMENT_NOT_ACCEPTED" => ("An agreement in force is not accepted", "consent"),
        "NO_PAYMENT_METHOD" => ("Nobody pays for this account: a payment method is missing", "readiness"),
        "PAYMENT_METHOD_NOT_VERIFIED" => ("The payment method is not verified yet", "readiness"),
        "PAYMENT_METHOD_FAILED" => ("The payment method failed or expired", "readiness"),
        "INVOICE_OVERDUE" => ("An invoice is overdue", "readiness"),
        "NO_PROVISIONING_SYSTEM" => ("Whoever runs this console has to set up a provisioning system", ""),
        "ACCOUNT_SUSPENDED" => ("This account, or one above it, is suspended", "readiness"),
        "RESOURCE_LIMITATION_EXCEEDED" => ("A limit is reached", "readiness"),
        "PORT_NOT_ACTIVE" | "NO_PORT_FOUND_FOR_CONNECTION" => ("Its port is not active, or not shared any more", ""),
        other => return (format!("It waits for {}", other.replace('_', " ").to_lowercase()), "readiness"),
    };
    (words.to_owned(), section)
}
