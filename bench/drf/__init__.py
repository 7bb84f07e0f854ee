"""The same list made with Django REST framework's stock parts, to compare with."""
