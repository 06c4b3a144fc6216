"""Words that the Penn Treebank tokeniser knows: abbreviations, contractions, endings of files. Either case unless said."""

from __future__ import annotations

SPLIT = {"cannot": 3, "gonna": 3, "gotta": 3, "lemme": 3, "gimme": 3, "wanna": 3, "'twas": 2, "'tis": 2}
"""Words that are two tokens, and how long the first is."""

MONTHS_AND_DAYS = "Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|Mon|Tues?|Wed|Thu(?:rs)?|Fri"
STATES = (
    "Ala|Ariz|Calif|Colo|Conn|Ct|Dak|Fla|Ga|Ind|Kans?|Ky|Md|Mich|Minn|Mo|Mont|Neb|Nev|Okla|Penn|Tenn|Va|Vt|Wisc?|Wyo"
)
CAPITAL_STATES = ("Az", "Ark", "Del", "Ill", "La", "Mass", "Miss", "Ore", "Pa", "Tex", "Wash")
"""States that are words too: abbreviations only with a capital."""

COMPANIES = "Inc|Cos?|Corp|Ltd|Plc|Rt|Bancorp|Bhd|Assn|Univ|Intl|Sys"
OTHERS = r"tel|est|ext|sq|Jr|Sr|Bros|(?:Ed|Ph)\.D|Blvd|Rd|Esq|etc|al|seq|Bldg"
TITLES = (
    "Mr|Mrs|Ms|Drs?|Profs?|Sens?|Reps?|Attys?|Lt|Col|Gen|Messrs|Govs?|Adm|Rev|Maj|Sgt|Cpl|Pvt|Capt|Ste?|Ave|Pres|Lieut|Hon|"
    "Brig|Co?mdr|Pfc|Spc|Supts?|Det|Mt|Ft|Adj|Adv|Asst|Assoc|Ens|Insp|Mlle|Mme|Msgr|Sfc|vs|Alex|Wm|Jos|Cie|cf|TREAS|Ph|Invt|"
    "Elec|Natl|Dept"
)
BEFORE_NUMBERS = "ca|figs?|prop|nos?|art|bldg|pp|op"
COUNTRIES = r"(?:Canada|Sino|Korean|EU|Japan|non)-U\.S|U\.S\.-(?:U\.K|U\.S\.S\.R)"
FILES = (
    "bat|bmp|class|cgi|cpp|c|dll|docx?|exe|gif|gz|html?|h|jar|java|jpe?g|mov|mp3|pdf|php|pl|png|ppt|ps|py|sql|tar|txt|wav|"
    "xml|x|zip"
)
SENTENCE_STARTS = (
    "About|According|Additionally|After|An|A|As|At|But|Earlier|He|Her|Here|However|If|In|It|Last|Many|More|Mr.|Ms.|Now|Once|One|"
    "Other|Our|She|Since|So|Some|Such|That|The|Their|Then|There|These|They|This|We|When|While|What|Yet|You"
)
"""Words that, with a capital, say that a letter with a period before them ended a sentence."""

WITH_APOSTROPHE = (
    r"dunkin<APOS>|somethin<APOS>|ol<APOS>|<APOS>em|<APOS>till?|<APOS>cause|o<APOSTROPHES>o|cont'd\.?|'twas|nor'easter|c'mon|e'er|"
    "s'mores|ev'ry|li'l|nat'l|<APOS>n<APOS>?"
)
