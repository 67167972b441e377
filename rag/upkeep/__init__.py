"""Looking after a library: what is wrong (doctor), what can be repaired (repair), where a passage was lost (explain)."""
