"""Units of measure and currencies after or before a number, each with its dimension and factor.

A table of our own: reading "12.4 km" by `pint` costs 0.26 s of processor time for its registry, in
every process that answers a question. A spelling that may mean two things has no unit here: "pound"
(mass, money), "ton" (1,000 kg, 907 kg), "m" written at the number (metre, million).
"""

from __future__ import annotations

import re

#: dimension -> unit, factor to the base unit of the dimension, spellings. Short spellings are
#: symbols, whose case counts; words of four letters or more are compared in lower case.
_TABLE = """
length  1e-3 mm millimetre millimetres millimeter millimeters
length  1e-2 cm centimetre centimetres centimeter centimeters
length  1 m metre metres meter meters
length  1e3 km kilometre kilometres kilometer kilometers
length  1609.344 mi mile miles
length  0.3048 ft foot feet
length  0.0254 inch inches
length  0.9144 yd yard yards
mass  1e-6 mg milligram milligrams
mass  1e-3 g gram grams gramme grammes
mass  1 kg kilo kilos kilogram kilograms kilogramme kilogrammes
mass  1e3 t tonne tonnes
mass  0.45359237 lb lbs
mass  0.028349523125 oz ounce ounces
volume  1e-3 ml mL millilitre millilitres milliliter milliliters
volume  1e-2 cl centilitre centilitres
volume  1 l L litre litres liter liters
volume  1e3 m3 m³ cubic_metres cubic_metre cubic_meters cubic_meter
area  1 m2 m² sqm square_metres square_metre square_meters square_meter
area  1e4 ha hectare hectares
area  1e6 km2 km² square_kilometres square_kilometre square_kilometers square_kilometer
area  4046.8564224 acre acres
speed  1 km/h kmh kph kilometres_per_hour kilometers_per_hour
speed  1.609344 mph miles_per_hour
speed  3.6 m/s
power  1 W watt watts
power  1e3 kW kilowatt kilowatts
power  1e6 MW megawatt megawatts
power  1e9 GW gigawatt gigawatts
energy  1 kWh kilowatt-hours
energy  1e3 MWh megawatt-hours
energy  1e6 GWh gigawatt-hours
data  1e3 kB KB kilobyte kilobytes
data  1e6 MB megabyte megabytes
data  1e9 GB gigabyte gigabytes
data  1e12 TB terabyte terabytes
data  1048576 MiB
data  1073741824 GiB
frequency  1 Hz hertz
frequency  1e3 kHz kilohertz
frequency  1e6 MHz megahertz
frequency  1e9 GHz gigahertz
duration  1e-3 ms millisecond milliseconds
duration  1 s sec secs second seconds
duration  60 min mins minute minutes
duration  3600 h hr hrs hour hours
duration  86400 day days
duration  604800 week weeks
months  1 month months
months  12 yr yrs year years
months  120 decade decades
celsius  1 °C degrees_celsius
fahrenheit  1 °F degrees_fahrenheit
euro  1 € EUR euro euros
dollar  1 $ USD dollar dollars
sterling  1 £ GBP
franc  1 CHF
yen  1 ¥ JPY yen
rupee  1 ₹ INR rupee rupees
rouble  1 ₽ RUB rouble roubles ruble rubles
"""
_MIN_WORD = 4  #: letters from which a spelling is a word
_UNITS: dict[str, tuple[str, float]] = {}
for _line in _TABLE.strip().split("\n"):
    _dimension, _factor, *_spellings = _line.split()
    _UNITS |= {s.replace("_", " "): (_dimension, float(_factor)) for s in _spellings}
_AFTER = re.compile(
    r"[ \u00a0\u202f\u2009-]?"
    r"((?:(?:square|cubic|degrees)\s)?[^\W\d_]{1,16}(?:/[a-z]{1,2}|[²³]|[23](?!\d)|-hours)?"
    r"(?:\sper\shour)?(?![\w/])|°\s?[CF]\b|[€$£¥₹₽])",
    re.I,
)
_BEFORE = re.compile(r"([€$£¥₹₽]|\b(?:EUR|USD|GBP|CHF|JPY|INR|RUB))[^\S\n\r]?[-−]?\Z")
_MAX_BEFORE = 6  #: characters before a number that may name its currency


def find_unit(text: str, start: int, end: int) -> tuple[str, float]:
    """Return dimension and factor of the unit of the number at `start`..`end`, or ("", 1.0)."""
    before = _BEFORE.search(text, max(0, start - _MAX_BEFORE), start)
    if before:
        return _UNITS[before[1]]
    after = _AFTER.match(text, end)
    if not after:
        return "", 1.0
    spelling = after[1].replace("° ", "°")
    words = [spelling, spelling.removesuffix(" per hour"), spelling.split(" ")[0]]
    for word in words:
        unit = _UNITS.get(word.lower() if len(word) >= _MIN_WORD else word)
        if unit:
            return unit
    return "", 1.0
