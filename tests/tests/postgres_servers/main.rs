//! Real server processes on a real database: what they promise over replicas, over restarts, and to people who mean no good. No cluster.

mod hostile;
mod limits;
mod people;
mod repeats;
mod restarts;
mod secrets;
