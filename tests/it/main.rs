//! Whole rooms and whole runs, one module a subject.

mod scenarios;
