-- W3C Trace Context has two headers: what the second says is carried along with the first.
alter table operations add column tracestate text;
comment on column operations.tracestate is 'What other tracers have to say about the trace of that request (W3C Trace Context).';
