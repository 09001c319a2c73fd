"""The rules of lending: values in, values out. No input or output, no clock, no chance, no concurrency."""
