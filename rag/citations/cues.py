"""The words by which one sentence hangs on another, language by language. Data for `cohesion`; no logic.

Every entry is a lower-case regular expression, matched at the beginning of a sentence unless its comment says otherwise.
To teach a language, add a row; an unknown language is guessed from `common`.
"""

# ruff: noqa: E501 (a row of the table reads better on one line)

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cues:
    """One language's signs that a sentence goes on from the one before it, or speaks for its own author."""

    common: str
    """Frequent small words, by which the language is told."""
    connectives: str
    """Adverbs and phrases that may open a sentence; what ties it to the one before is looked for behind them."""
    pairs: str
    """The second half of a pair: "on the other hand" cannot stand without the first."""
    pronouns: str
    """Subjects that stand for somebody or something named before; not "this" alone, which may be a whole claim."""
    pointers: str
    """Words that point back with a noun behind them: "these" giants."""
    shells: str
    """Nouns that wrap up a claim ("this result") and so comment on it rather than go on with it."""
    others: str
    """Words that add one more of what was named: "another" report of the same body."""
    demonstratives: str
    """Anywhere in an opening phrase: "to achieve *this*, …"."""
    articles: str
    """Definite articles: a noun behind one that stands in the sentence before is the same thing."""
    reporters: str
    """Who goes on speaking when a citation is followed up: "the authors", "the report"."""
    according: str
    """Anywhere near the beginning: the sentence says that it gives the view of somebody named before."""
    speakers: str
    """Pronouns that go on speaking when one of `verbs` follows."""
    verbs: str
    """Verbs of reporting, anywhere within a few words of the speaker."""
    own: str
    """Anywhere: the text speaks of itself, so no citation reaches over it."""
    methods: str
    """Anywhere in the citing sentence: the work is cited for a method or a comparison, not for what was said before."""
    future: str
    """Anywhere: the text speaks of what is still to come."""


def known(language: str | None) -> str | None:
    """The row of a BCP 47 tag ("pt-BR" → "pt"), None where the table has none."""
    code = (language or "").split("-")[0].lower()
    return code if code in CUES else None


CUES: dict[str, Cues] = {
    "en": Cues(
        common="the of and to in is that for with by",
        connectives=r"however|on the (?:one|other) hand|on the contrary|therefore|thus|hence|consequently|as a (?:result|consequence)|"
        r"moreover|furthermore|in addition|additionally|besides|also|likewise|similarly|in (?:turn|contrast|particular|fact|other words)|"
        r"by contrast|conversely|nevertheless|nonetheless|still|yet|instead|rather|for (?:example|instance)|specifically|namely|"
        r"meanwhile|at the same time|afterwards|subsequently|then|later|finally|accordingly|indeed|otherwise|as such|to (?:this|that) end|for (?:one thing|another)|even so",
        pairs=r"on the other hand|for another|secondly|to (?:this|that) end",
        pronouns=r"it(?! (?:is|was|has been|seems|should|may be|will be)\b)|it (?:is|was|has been) (?:also )?(?:reported|said|claimed|argued|stated|estimated)|"
        r"its|they|their|he|his|she|her|both|the (?:former|latter|same|first|second|third)|these(?= (?:are|were|have|had|include|can|may|will))",
        pointers=r"these|those|such(?: an?)?|(?:this|that)(?! (?:is|was|has|had|may|might|can|could|would|will|must|should|also|not|(?!process|analysis|basis|bias)\w+[^s\W]s)\b)",
        shells="result results finding findings aspect aspects approach approaches case cases fact facts view views idea ideas problem problems issue issues effect "
        "effects difference differences process processes situation phenomenon trend observation observations point points sense way ways regard respect context "
        "direction reason reasons question questions distinction analysis analyses assumption assumptions property properties argument arguments hypothesis study "
        "article paper section work data is are was were",
        others=r"another|a further",
        demonstratives=r"this|these|those|such|that(?= (?:end|time|purpose|year|month))|it|them",
        articles=r"the",
        reporters=r"the (?:authors?|researchers?|scholars?|writers?|analysts?|investigators|team)|"
        r"the (?:\w+ )?(?:report|paper|study|article|document|survey|book|review|analysis)|"
        r"in (?:this|his|her|their|its) (?:view|account|words|opinion|study|analysis|argument|reading)",
        according=r"\b(?:according to|in the (?:view|words|opinion) of) (?:them|him|her|this (?:view|reading|account|line of \w+|argument)|the (?:authors?|report|study|paper))\b|"
        r"^\W*in (?:his|her|their) (?:view|account|words|opinion|argument|reading)\b",
        speakers=r"they|he|she|it",
        verbs=r"argu\w*|claim\w*|stat(?:e|es|ed|ing)|sa(?:y|ys|id)|report\w*|not(?:e|es|ed)|f(?:ind|inds|ound)|show\w*|suggest\w*|"
        r"conclud\w*|propos\w*|add(?:s|ed)?|warn\w*|point\w*|observ\w*|describ\w*|explain\w*|mention\w*|remind\w*|assess\w*|"
        r"emphasi\w*|stress\w*|recommend\w*|h(?:old|olds|eld)|believ\w*|maintain\w*|contend\w*|wr(?:ite|ites|ote)|assert\w*|demonstrat\w*",
        own=r"we|our|ours|(?-i:us)|(?-i:I)(?![.’'])|my|(?:this|the present|present) (?:article|paper|study|work|essay|chapter|review|section|thesis)|"
        r"here we|fig(?:ure|s)?\.? ?\d+\w*|table \d+",
        methods=r"as (?:previously )?(?:described|reported|defined)|following (?:the|\w+ et)|(?:modified|adapted|taken) from|"
        r"according to the (?:method|protocol|procedure)|see(?: also)?|cf|reviewed (?:in|by)|similar to|consistent with|in (?:line|agreement) with",
        future=r"will|shall|is (?:to|scheduled|planned|expected|due)|are (?:to|scheduled|planned|expected|due)|upcoming|next",
    ),
    "pt": Cues(
        common="que de do da em para com uma não os as é",
        connectives=r"no entanto|entretanto|contudo|porém|todavia|por (?:um|outro) lado|portanto|assim|logo|dessa forma|desse modo|"
        r"consequentemente|como resultado|além disso|ademais|também|da mesma forma|do mesmo modo|igualmente|em particular|ou seja|"
        r"pelo contrário|por exemplo|enquanto isso|ao mesmo tempo|depois|posteriormente|em seguida|por fim|de fato|nesse sentido|neste sentido|com isso",
        pairs=r"por outro lado|em segundo lugar",
        pronouns=r"el[ea]s?|amb[oa]s|o mesmo|a mesma|[oa] primeir[oa]|[oa] segund[oa]|foi|foram|tem|têm|pode|podem|relata-se|afirma-se",
        pointers=r"est[ea]s?|ess[ea]s?|aquel[ea]s?|tal|tais",
        shells="resultado resultados aspecto aspectos caso casos fato fatos sentido forma modo maneira contexto perspectiva questão questões processo processos situação "
        "fenômeno abordagem ideia ideias ponto pontos razão diferença diferenças artigo estudo trabalho pesquisa análise é são foi foram",
        others=r"outr[oa]s?",
        demonstratives=r"isto|isso|dis[st]o|nis[st]o|(?:n|d)?es[st][ea]s?|tal|tais|(?:d|n)?el[ea]s?",
        articles=r"[oa]s?|d[oa]s?|n[oa]s?|ao|aos|às?|pel[oa]s?",
        reporters=r"[oa]s? autor(?:es|as?)?|[oa]s? pesquisador(?:es|as?)?|o (?:relatório|artigo|estudo|documento|livro|texto)|a (?:pesquisa|obra|análise)",
        according=r"\b(?:segundo|conforme|para|de acordo com) (?:el[ea]s?|[oa]s? (?:mesm[oa]s? )?autor(?:es|as?)?|o (?:estudo|relatório)|ess[ea] (?:visão|leitura))\b",
        speakers=r"el[ea]s?",
        verbs=r"afirm\w*|argument\w*|defend\w*|diz\w*|disse\w*|relat\w*|mostr\w*|suger\w*|conclu\w*|prop[õou]\w*|acrescent\w*|observ\w*|"
        r"descrev\w*|explic\w*|mencion\w*|destac\w*|ressalt\w*|apont\w*|consider\w*|escrev\w*|demonstr\w*|sustent\w*",
        own=r"nós|nosso|nossa|nossos|nossas|(?:n?este|o presente|n?esta|a presente) (?:artigo|trabalho|estudo|texto|pesquisa|ensaio|seção)|figura \d+|tabela \d+|\w+amos",
        methods=r"conforme (?:descrito|metodologia|o método)|segundo (?:a metodologia|o método)|de acordo com (?:a metodologia|o método)|adaptad[oa] de|ver|cf|vide",
        future=r"será|serão|vai|vão|próxim[oa]|previst[oa]s?",
    ),
    "es": Cues(
        common="que de el la los las en una para con no es por",
        connectives=r"sin embargo|no obstante|por (?:un|otro) lado|por (?:una|otra) parte|por (?:lo )?tanto|así|en consecuencia|como resultado|además|asimismo|"
        r"también|del mismo modo|de igual manera|igualmente|en particular|es decir|por el contrario|por ejemplo|mientras tanto|al mismo tiempo|"
        r"después|posteriormente|luego|finalmente|de hecho|en este sentido|en cambio|de esta (?:manera|forma)",
        pairs=r"por otro lado|por otra parte|en segundo lugar",
        pronouns=r"él|ellas?|ellos|amb[oa]s|el mismo|la misma|el primero|la primera|el segundo|la segunda|es|son|fue|fueron|era|tiene|tienen|puede|pueden|se informa que",
        pointers=r"est[ea]|est[oa]s|es[ea]|es[oa]s|dich[oa]s?|tal(?:es)?",
        shells="resultado resultados aspecto aspectos caso casos hecho hechos sentido forma modo manera contexto perspectiva cuestión cuestiones proceso procesos situación "
        "fenómeno enfoque idea ideas punto puntos razón diferencia diferencias artículo estudio trabajo investigación análisis es son fue fueron",
        others=r"otr[oa]s?",
        demonstratives=r"esto|eso|est[ea]s?|estos|es[ea]s?|esos|dich[oa]s?|tal|tales|ello",
        articles=r"el|la|los|las|del|al",
        reporters=r"(?:el|la|los|las) autor(?:es|as?)?|(?:el|la|los|las) investigador(?:es|as?)?|el (?:informe|artículo|estudio|documento|libro|texto)|la (?:investigación|obra)",
        according=r"\b(?:según|de acuerdo con|para|a juicio de) (?:él|ellas?|ellos|(?:el|la|l[oa]s) (?:mism[oa]s? )?autor(?:es|as?)?|el (?:estudio|informe)|est[ea] (?:visión|lectura))\b",
        speakers=r"él|ellas?|ellos",
        verbs=r"afirm\w*|argument\w*|defiend\w*|dic\w*|dij\w*|relat\w*|muestr\w*|mostr\w*|sugier\w*|conclu\w*|prop[ou]\w*|añad\w*|observ\w*|"
        r"describ\w*|explic\w*|mencion\w*|destac\w*|señal\w*|consider\w*|escrib\w*|demuestr\w*|sostien\w*",
        own=r"nosotros|nosotras|nuestr[oa]s?|(?:este|el presente|esta|la presente) (?:artículo|trabajo|estudio|texto|investigación|ensayo|sección)|figura \d+|tabla \d+",
        methods=r"según (?:el método|la metodología)|de acuerdo con (?:el método|la metodología)|adaptad[oa] de|véase|ver|cf",
        future=r"será|serán|va a|van a|próxim[oa]s?|previst[oa]s?",
    ),
    "de": Cues(
        common="der die das und ist nicht mit von den ein zu",
        connectives=r"jedoch|allerdings|dennoch|trotzdem|einerseits|andererseits|zum einen|zum anderen|deshalb|daher|somit|folglich|infolgedessen|außerdem|zudem|"
        r"darüber hinaus|ferner|auch|ebenso|ebenfalls|gleichermaßen|insbesondere|das heißt|im gegenteil|dagegen|hingegen|zum beispiel|beispielsweise|"
        r"gleichzeitig|danach|später|anschließend|schließlich|tatsächlich|stattdessen|dadurch|damit|dabei",
        pairs=r"andererseits|zum anderen|zweitens",
        pronouns=r"sie|er|ihre?|seine?|beide|letztere[rs]?|erstere[rs]?|es heißt",
        pointers=r"(?:diese[rsnm]?|jene[rsnm]?|solche[rsnm]?)(?= (?-i:[A-ZÄÖÜ]|\w+n (?-i:[A-ZÄÖÜ])))",
        shells="ergebnis ergebnisse aspekt aspekte fall fälle ansatz ansätze problem probleme frage fragen sinn zusammenhang prozess prozesse weise art situation idee "
        "unterschied punkt grund hypothese analyse arbeit studie artikel beitrag",
        others=r"(?:ein|eine) weitere[rs]?",
        demonstratives=r"dies|diese[rsnm]?|jene[rsnm]?|solche[rsnm]?|dazu|hierzu|dafür|daraus",
        articles=r"der|die|das|den|dem|des",
        reporters=r"(?:die|der) autor(?:en|in|innen)?|die (?:forscher|studie|untersuchung|verfasser)|der (?:bericht|artikel|aufsatz)|das (?:papier|buch)",
        according=r"\b(?:laut|nach|nach ansicht) (?:ihnen|ihm|ihr|den autor(?:en|innen)|der autor(?:en|in)|dem bericht|der studie)\b|\b(?:ihm|ihr|ihnen|dem bericht|der studie) zufolge\b",
        speakers=r"sie|er",
        verbs=r"argumentier\w*|behaupt\w*|sag\w*|bericht\w*|zeig\w*|schreib\w*|schrieb\w*|folger\w*|schlag\w*|beton\w*|erklär\w*|beschreib\w*|beschrieb\w*|stell\w*|find\w*|fand\w*|warn\w*|mein\w*",
        own=r"wir|uns|unsere?[rsnm]?|ich|(?:dieser|der vorliegende) (?:artikel|beitrag|aufsatz)|diese (?:arbeit|studie)|abbildung \d+|tabelle \d+",
        methods=r"wie (?:beschrieben|bei)|nach der methode|vgl|siehe",
        future=r"wird|werden|soll|sollen|geplant|nächste[rsnm]?",
    ),
    "fr": Cues(
        common="le la les des et est que dans une pour par",
        connectives=r"cependant|toutefois|néanmoins|pourtant|d[’']une part|d[’']autre part|d[’']un côté|de l[’']autre|donc|ainsi|par conséquent|en conséquence|de plus|"
        r"en outre|par ailleurs|aussi|également|de même|en particulier|c[’']est-à-dire|au contraire|en revanche|par exemple|en même temps|ensuite|puis|"
        r"enfin|en effet|en fait|à cette fin",
        pairs=r"d[’']autre part|de l[’']autre|deuxièmement",
        pronouns=r"elles?|ils?(?! (?:est|a été|faut|y a)\b)|leurs?|son|sa|ses|tous deux|l[ea] premi(?:er|ère)|ce dernier|cette dernière",
        pointers=r"cet|cette|ces|ce(?! (?:qui|que|sont|n)\b)|tels?|telles?",
        shells="résultat résultats aspect aspects cas fait faits sens façon manière contexte perspective question questions processus situation phénomène approche idée "
        "idées point points raison différence différences article étude travail analyse",
        others=r"une? autre",
        demonstratives=r"ceci|cela|ce|cet|cette|ces|tels?|telles?",
        articles=r"le|la|les|l|du|des|au|aux",
        reporters=r"(?:les|l[’']) ?auteure?s?|les chercheurs|le (?:rapport|document|livre|texte)|l[’'](?:article|étude|enquête|ouvrage)",
        according=r"\b(?:selon|d[’']après|pour) (?:eux|elles?|lui|les auteur(?:e?s)|l[’']auteure?|le rapport|l[’']étude|cette lecture)\b",
        speakers=r"ils?|elles?",
        verbs=r"affirm\w*|soutien\w*|soutenu|dit|disent|rapport\w*|montr\w*|suggèr\w*|suggér\w*|conclu\w*|propos\w*|ajout\w*|observ\w*|décri\w*|expliqu\w*|mentionn\w*|soulign\w*|not\w*|écri\w*|démontr\w*",
        own=r"nous|notre|nos|je|(?:cet|le présent) article|cette étude|ce travail|figure \d+|tableau \d+",
        methods=r"selon la méthode|d[’']après la méthode|adapté de|voir|cf",
        future=r"sera|seront|va|vont|prochaine?s?|prévue?s?",
    ),
    "zh": Cues(
        common="的 是 在 和 了",
        connectives=r"然而|但是|但|不过|因此|所以|此外|另外|同时|同样|例如|一方面|另一方面|随后|最后|而且|并且|相反",
        pairs=r"另一方面|其次",
        pronouns=r"其|他们|她们|它们|他|她|它|前者|后者|这些|上述|据报道",
        pointers=r"这(?=[个种项份款])|该|此(?!外)",
        shells="",
        others=r"另一",
        demonstratives=r"这|该|此",
        articles=r"该",
        reporters=r"作者|两位作者|研究者|该报告|该文|该研究|报告",
        according=r"(?:据|按照|根据)(?:作者|该报告|该研究|他们)",
        speakers=r"他们|她们|他|她",
        verbs=r"认为|指出|表示|称|提出|发现|强调|说",
        own=r"我们|笔者|本文|本研究",
        methods=r"参见|见",
        future=r"将",
    ),
}
