ALTER TABLE vm_static ADD COLUMN dedicated_vm_for_vds uuid REFERENCES vds_static (vds_id) ON DELETE SET NULL;
CREATE INDEX vm_static_pinned ON vm_static (dedicated_vm_for_vds);
