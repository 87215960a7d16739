"""What a lab needs for the profile that it is made for, beyond what all labs have: servers equipped, clients made."""
