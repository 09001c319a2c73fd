"""The rules of lending: values in, values out. No I/O, no clock, no chance, no concurrency."""
