-- The tables every version starts from; later changes stand in upgrade/.

CREATE TABLE schema_version (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    version varchar(10) NOT NULL,
    script varchar(255) NOT NULL,
    checksum varchar(32) NOT NULL,
    installed_by varchar(63) NOT NULL,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone NOT NULL,
    state varchar(15) NOT NULL CHECK (state IN ('INSTALLED', 'SKIPPED', 'FAILED')),
    current boolean NOT NULL,
    comment text
);
CREATE UNIQUE INDEX one_current_version ON schema_version (current) WHERE current;
INSERT INTO schema_version (version, script, checksum, installed_by, started_at, ended_at, state, current)
VALUES ('03000000', 'upgrade/03_00_0000_set_version.sql', '0', session_user, now(), now(), 'INSTALLED', true);

CREATE TABLE vdc_options (
    option_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    option_name varchar(100) NOT NULL,
    option_value text NOT NULL,
    version varchar(40) NOT NULL DEFAULT 'general',
    UNIQUE (option_name, version)
);

CREATE TABLE storage_pool (
    id uuid PRIMARY KEY,
    name varchar(40) NOT NULL UNIQUE,
    is_local boolean NOT NULL DEFAULT false,
    status integer NOT NULL
);

CREATE TABLE cluster (
    cluster_id uuid PRIMARY KEY,
    name varchar(40) NOT NULL UNIQUE,
    storage_pool_id uuid REFERENCES storage_pool (id) ON DELETE SET NULL
);

CREATE TABLE vds_static (
    vds_id uuid PRIMARY KEY,
    vds_name varchar(255) NOT NULL UNIQUE,
    vds_unique_id varchar(128) UNIQUE,
    host_name varchar(255) NOT NULL UNIQUE,
    port integer NOT NULL DEFAULT 54321,
    cluster_id uuid NOT NULL REFERENCES cluster (cluster_id)
);

CREATE TABLE storage_domain_static (
    id uuid PRIMARY KEY,
    storage_name varchar(250) NOT NULL,
    storage_type integer NOT NULL,
    storage_domain_type integer NOT NULL
);

CREATE TABLE vm_static (
    vm_guid uuid PRIMARY KEY,
    vm_name varchar(255) NOT NULL,
    mem_size_mb integer NOT NULL CHECK (mem_size_mb > 0),
    cluster_id uuid REFERENCES cluster (cluster_id)
);
