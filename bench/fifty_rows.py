"""The product with fifty rows to a page, of which it shows twenty-five: that is what the target speaks of."""

from deploynix.wsgi import application
from organizations.pages import ListPage

__all__ = ["application"]

ListPage.paginate_by = 50
