"""A table of synonyms in everyday documents, by their stems.

People ask in their own words: when the shop shuts, of a page that says when it closes. Only words
that hardly mean anything else in such documents are here, and no opposites.
"""

from __future__ import annotations

from rag.text.facts import stem

_GROUPS = """
close closes closed closing shut shuts
buy buys bought buying purchase purchased purchases
begin begins began begun beginning start starts started commence commences commenced
end ends ended finish finishes finished
arrive arrives arrived arrival arr reach reaches reached
depart departs departed departure dep leave leaves left leaving
repair repairs repaired fix fixed mend mended
allow allows allowed permit permits permitted permission
forbid forbids forbidden prohibit prohibited banned
reject rejected refuse refused decline declined
approve approved approval accept accepted agree agreed
occupation profession job
doctor physician
car automobile
child children kid kids
phone telephone tel mobile cell
boat ship ferry vessel
salary wage wages pay
happen happened happens occur occurred occurs
construct constructed build built builds building
choose chosen chose select selected pick picked
postpone postponed delay delayed
cancel cancelled canceled
borrow borrowed loan loaned lend lent
renew renewed renewal extend extended extension prolong prolonged
reserve reserved reservation book booked booking bookings
resign resigned quit
die died dies dead death
marry married marriage wedding wed
ill illness sick sickness
injured injury hurt wounded
stolen theft steal stole
fine penalty
customer client buyer
tenant renter lodger lessee
landlord lessor
owner own owns owned possess possesses
rent lease hire
flat apartment
lift elevator
holiday vacation
rubbish garbage trash refuse
autumn fall
film movie
shop store
lorry truck
petrol gasoline
mother mum mom
father dad
teacher instructor
pupil student schoolchild schoolchildren
author writer wrote written writes write
reply replied respond responded response
failure fail failed fails error
password passphrase passcode
folder directory
delete deleted remove removed erase erased
photo photograph picture
maximum max limit
minimum min least
yearly annual annually
absent absence apologies
missing lost
attend attended present
win wins won winner victory
defeat defeated beat beaten beating
capacity holds
refund refunded reimburse reimbursed returned
guarantee guaranteed warranty
deliver delivered delivery
invoice bill
discount reduction
settle settled paid
expire expires expiry
wide width
long length
tall high height
deep depth
thick thickness
assist assisted help helped helps
serve serves feed feeds
"""


#: stem -> the stems that stand for it
SYNONYMS: dict[str, set[str]] = {}
for _line in _GROUPS.strip().splitlines():
    _stems = set(map(stem, _line.split()))
    for _one in _stems:
        SYNONYMS.setdefault(_one, set()).update(_stems - {_one})
