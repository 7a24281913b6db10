CREATE TABLE storage_type (
    id integer PRIMARY KEY,
    name varchar(20) NOT NULL UNIQUE
);
INSERT INTO storage_type (id, name) VALUES (1, 'nfs'), (2, 'fcp'), (3, 'iscsi'), (4, 'localfs');
ALTER TABLE storage_domain_static
    ADD CONSTRAINT storage_domain_type_known FOREIGN KEY (storage_type) REFERENCES storage_type (id);
