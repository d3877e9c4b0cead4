DROP TABLE account_import_lines;
DROP TABLE account_imports;
DROP INDEX accounts_reference;
ALTER TABLE accounts DROP COLUMN external_reference;
