"""Who may sign in, how, from where and for how long; what signed in where. Tables and flows are django-allauth's."""
