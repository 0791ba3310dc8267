"""What the desk does: one public function is one transaction."""
