ALTER TABLE vds_static ADD COLUMN status integer NOT NULL DEFAULT 0;

CREATE VIEW hosts_waiting_for_approval AS
SELECT vds_id, vds_name, host_name FROM vds_static WHERE status = 11;
