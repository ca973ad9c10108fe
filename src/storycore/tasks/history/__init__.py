"""What tasks have done lately, for those who look back."""
