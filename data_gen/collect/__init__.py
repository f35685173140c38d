"""Raw law in: every source becomes Documents of one corpus folder, cleaned, with nothing dropped without a reason."""
