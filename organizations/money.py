"""Amounts of money: whole numbers of a currency's smallest unit, for example cents."""

from decimal import Decimal

# The digits after the point of currencies that do not have two: ISO 4217, list one.
_DIGITS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF"), 0),
    **dict.fromkeys(("UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}


def digits_of(currency: str) -> int:
    """How many digits the currency of this ISO 4217 code has after the point."""
    return _DIGITS.get(currency, 2)


def in_minor_units(amount: Decimal, currency: str) -> int:
    """For example 4900 for 49 EUR. Raises ValueError for an amount that the currency cannot express."""
    if not amount.is_finite():
        raise ValueError(f"{amount} is no amount.")
    shifted = amount.scaleb(digits_of(currency))
    if shifted != shifted.to_integral_value():
        raise ValueError(f"{currency} has {digits_of(currency)} digits after the point.")
    return int(shifted)


def spoken(amount: int, currency: str) -> str:
    """For example `EUR 1,049.00`."""
    digits = digits_of(currency)
    return f"{currency} {Decimal(amount).scaleb(-digits):,.{digits}f}"
