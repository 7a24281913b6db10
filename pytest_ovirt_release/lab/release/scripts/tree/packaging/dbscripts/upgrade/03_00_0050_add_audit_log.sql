CREATE TABLE audit_log (
    audit_log_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    log_time timestamp with time zone NOT NULL DEFAULT current_timestamp,
    log_type integer NOT NULL,
    severity integer NOT NULL,
    message text NOT NULL,
    correlation_id varchar(50)
);
CREATE INDEX audit_log_correlation ON audit_log (correlation_id);
