CREATE INDEX accounts_siblings_children ON accounts (parent_key, children_count, key);
