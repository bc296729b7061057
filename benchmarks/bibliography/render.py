"""Labelled reference strings in styles that the training sets hardly have (ABNT, Vancouver, Harvard, …).

Fields come from the training strings themselves and from small lists of invented Portuguese and Spanish
titles, journals and bodies; the styles are templates of our own. A template is a string in which ``{title}``
is a field and everything else is printed as it stands and labelled O. Nothing here reads SciELO.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import NamedTuple

from benchmarks.bibliography import corpora
from rag.bibliography import names


def _listed(text: str, mark: str = "|") -> list[str]:
    """The values of a table that is written in running lines."""
    return text.split(mark)


_FIELD = re.compile(r"\{(\w+)\}")
_FAMILIES = ["Silva", "Souza", "Oliveira", "Pereira", "Costa", "Almeida", "Ferreira", "Rodrigues", "Gomes", "Martins", "Araújo", "Barbosa", "Ribeiro", "Carvalho", "Lima", "Rocha", "García", "López", "Hernández", "Muñoz", "Álvarez", "Castro", "Vieira", "Nunes", "Teixeira", "Moreira", "Cardoso", "Santos", "Mendonça", "Brandão", "Guimarães", "Leão", "Conceição", "Müller", "Schröder", "Dupont", "Lefèvre", "Rossi", "Smith", "Johnson", "Brown", "Taylor", "Wang", "Zhang", "Chen", "Nguyen", "Kim", "Kowalski", "Novák"]  # fmt: skip
_GIVEN = ["João", "Maria", "José", "Ana", "Paulo", "Luiz", "Carlos", "Antônio", "Beatriz", "Márcia", "Fernanda", "Renata", "Marcos", "Rita", "Sônia", "Tiago", "Inês", "Miguel", "Carmen", "Juan", "Lucía", "Pedro", "Helena", "Michael", "Sarah", "Jürgen", "Anne", "Pierre", "Marco", "Wei", "Haruki", "Elena", "Robert", "Laura", "Peter", "Irina"]  # fmt: skip
_PARTICLES = ("de", "da", "dos", "de", "von", "van", "do")
_SUFFIXES = ("Júnior", "Filho", "Neto", "Jr.")
_WHAT = _listed(
    "Análise|Avaliação|Estudo|História|Ensaio|Memória|Políticas|Gênero|Educação|Dinâmica|Efeito|Influência|O uso|"
    "A construção|Os sentidos|Caracterização|Evaluación|La enseñanza|Aproximación|El papel|Desafios|Flora|"
    "Levantamento florístico|Biologia|O conceito"
)
_OF = _listed(
    "da formação docente|das políticas públicas|de espécies arbóreas|do discurso|da literatura indígena|"
    "em saúde coletiva|de solos tropicais|na atenção básica|do desenvolvimento regional|"
    "de la competencia profesional|en la universidad|da linguagem e do pensamento|entre trabalho e renda|"
    "de frutos e sementes|na Mata Atlântica|no semiárido nordestino|da qualidade da água|do ensino superior|"
    "de redes sociais|na bacia do rio Doce"
)
_NOUNS = _listed(
    "Linguagem|Poder|Memória|Trabalho|Identidade|Ciência|Cultura|Direito|Corpo|Sociedade|Natureza|Território|"
    "Método|Ética|Leitura|Escola|Mercado|Tempo|Razão|Mito|Estado|Technology|Culture|Democracy|Growth|Semantics|"
    "Ecology|Topology|Power"
)
_TAIL = _listed(
    "|||: uma revisão sistemática|: um estudo de caso|: limites e possibilidades| no Brasil contemporâneo|"
    ", São Paulo, Brasil| (1930-1964)|: teoria e prática| em Minas Gerais, Brasil|"
    ", setembro de 1991 a dezembro de 1996|: entre a norma e o uso| de ‘Valência’ em vaso"
)
_JOURNALS = _listed(
    "Revista de História Regional|Cadernos de Pesquisa|Estudos Avançados|Educação e Sociedade|Ciência e Cultura|"
    "Revista de Administração Pública|Dados|Lua Nova|Novos Estudos|Sociologias|Pesq Vet Bras|Arq Bras Cardiol|"
    "Rev Assoc Med Bras|Rev Esc Enferm|Rev Panam Salud Publica|Gac Sanit|Med Clin (Barc)|Acta Botanica|Caldasia|"
    "Bragantia Nova|Revista Árvore|Estudios Filológicos|Revista de Indias|Estudos de Sociologia|Varia Historia|"
    "Ecology|Nature|Cell|Minds|J Biol Educ|Signa|Análise Social|Ciências do Solo|Cadernos de Letras"
)
_PUBLISHERS = _listed(
    "Cortez|Editora da Universidade|Vozes|Ática|Companhia das Letras|Brasiliense|UFMG|Edusp|Loyola|"
    "Civilização Brasileira|Papirus|Artmed|Atlas|Saraiva|Ministério da Agricultura|Fundação Getulio Vargas|"
    "Siglo XXI|Paidós|Gedisa|Routledge|Sage|CRC Press|Academic Press|Blackwell|Springer|Perspectiva|MIT Press|"
    "John Wiley & Sons|Oxford University Press|Cambridge University Press|Almedina|Record"
)
_UNIVERSITIES = _listed(
    "Universidade de São Paulo|Universidade Federal de Minas Gerais|Universidade Estadual Paulista|UFRJ|UNICAMP|"
    "Universidad de Buenos Aires|Universidade Nova de Lisboa|University of Leeds|"
    "Faculdade de Educação, Universidade de Brasília|"
    "Programa de Pós-Graduação em Letras, Universidade Federal do Pará|Stanford University"
)
_PLACES = _listed(
    "São Paulo|Rio de Janeiro|Belo Horizonte|Brasília|Porto Alegre|Campinas|Curitiba|Lisboa|Buenos Aires|México|"
    "Madrid|Salvador|Recife|Florianópolis|Campinas, SP|Brasília, DF|New York|London|Cambridge, MA|Oxford|Berlin|"
    "Paris|Boca Raton|Viçosa|Thousand Oaks, CA|Beijing|Geneva|Washington, DC"
)
_BODIES = _listed(
    "Ministério da Saúde|Instituto Nacional de Estatística|INE - Instituto Nacional de Estatística|INEP|"
    "World Bank|World Health Organization|BRASIL. Ministério da Educação|Brasil. Ministério da Fazenda|UNESCO|"
    "[ANS] Agência Nacional de Saúde|Organização Mundial do Comércio|PORTUGAL|European Commission|"
    "Secretaria de Estado da Educação|The Guardian|OECD|FAO – Food and Agriculture Organization|"
    "BANCO CENTRAL DO BRASIL. BACEN|Conselho Nacional de Justiça (Brasil)|BBC News|China. Ministry of Education|"
    "Great Britain. Department of Health|International Energy Agency|Xinhua"
)
_NEWS = _listed(
    "Folha de S. Paulo|O Globo|The Guardian|South China Morning Post|El País|The New York Times|BBC News|Reuters|"
    "Le Monde|Bloomberg|The Economist|Süddeutsche Zeitung|Wired|Financial Times|CNN|China Daily"
)
_EVENTS = _listed(
    "ENCONTRO NACIONAL DE PESQUISA EM EDUCAÇÃO|Congresso Brasileiro de Botânica|"
    "Simpósio Internacional de Linguística|International Conference on Machine Learning|"
    "Seminário de Ciência da Informação|CONGRESSO BRASILEIRO DE SOCIOLOGIA"
)
_MONTHS = {"pt": ["jan.", "fev.", "mar.", "abr.", "maio", "jun.", "jul.", "ago.", "set.", "out.", "nov.", "dez."], "en": ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
           "long": ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"]}  # fmt: skip

_COUNTRIES = ("China|Brasil|BRASIL|Great Britain|Portugal|United States|India|France|España|Germany|Japan|EU").split(
    "|"
)
_STATE = _listed(
    "Ministry of Science and Technology|Ministério do Trabalho|State Council|Department for Education|"
    "Ministry of Foreign Affairs|National Development and Reform Commission|Congress. House Committee on Energy|"
    "Academy of Social Sciences|Cyber Agency|Conselho Nacional de Educação|Bureau of Statistics|"
    "Academy of Engineering and Technology of {}|Central Bank of {}|Space Administration of {}|"
    "Supreme Court of {}"
)
_HAN_NAMES = [
    "王小明",
    "李静",
    "张伟",
    "刘洋",
    "陈建国",
    "杨帆",
    "赵敏",
    "黄磊",
    "周杰",
    "吴晓",
    "徐志",
    "孙丽",
    "马云飞",
    "朱红",
    "胡军",
    "郭强",
    "何平",
    "高翔",
    "林峰",
    "罗敏",
]
_HAN_TITLES = (("Zhongguo jingji gaige yanjiu", "中国经济改革研究", "Research on China’s economic reform"),
               ("Rengong zhineng yu shehui zhili", "人工智能与社会治理", "Artificial intelligence and social governance"),
               ("Lun wenhua ziben", "论文化资本", "On cultural capital"),
               ("Xin shidai de waijiao?", "新时代的外交？", "Diplomacy of a new era?"))  # fmt: skip
_HAN_WORDS = "中国 国际 数字 人工智能 社会 经济 文化 教育 农村 城市 环境 治理 政策 发展 研究 理论 实践 历史 比较 分析 影响 机制 路径 问题 改革 安全 技术 创新".split()
_HAN_PLACES = "北京 上海 广州 南京 武汉 成都 天津".split()
_HAN_PRESSES = "人民出版社 商务印书馆 中华书局 北京大学出版社 高等教育出版社 社会科学文献出版社 科学出版社".split()
_HAN_UNIVERSITIES = "清华大学 复旦大学 武汉大学 南京大学 浙江大学".split()
_KOREAN_NAMES = (
    "김민수 이영희 박지훈 최은정 정수빈 강현우 조미경 윤서연 장동건 임하늘 한지민 오세훈 서지수 신동엽 권나라".split()
)
_KOREAN_WORDS = ("한국 사회 교육 문화 정책 청소년의 대학생의 노인의 지역 도시 환경 디지털 인공지능 기술 변화와 발전에 관한 미치는 영향 연구 분석 비교 "
                 "특성에 대한 고찰 관계 효과 방안 과제").split()  # fmt: skip
_KOREAN_JOURNALS = "한국교육학연구 사회과학연구 한국행정학보 정보과학회논문지 한국언어학회지 대한건축학회지 국어국문학 경영학연구".split()
_KOREAN_PRESSES = "민음사 창비 한길사 서울대학교출판부 박영사 문학과지성사".split()
_HAN_JOURNALS = (
    ("Jingji yanjiu", "经济研究"),
    ("Shehuixue yanjiu", "社会学研究"),
    ("Shijie zhengzhi", "世界政治"),
    ("Wenxue pinglun", "文学评论"),
)

JOURNAL = (
    "{author} ({date}). {title}. {container}({issue}), pp. {page}.",
    "{author}: {title}. In: {container}, Jg. {volume}, H. {issue}, {date}, S. {page}.",
    "{author}: {title}. In: {container} {volume} ({date}), S. {page}.",
    "{author}, « {title} », {container}, vol. {volume}, n° {issue}, {date}, p. {page}.",
    "{author}, « {title} », {container}, n° {issue}, {date}, p. {page}.",
    "{author}, {date}, « {title} », {container}, {volume}, {issue}, p. {page}.",
    "{author}. {date}. {title}. {container} {volume}. {page}.",
    "{author}, “{title},” {container} {volume}:{issue} ({date}), {page}.",
    "{author}, “{title},” {volume} {container} {page1} ({date}).",
    "{author}, {date}. {title}. {container}, {volume}({issue}), pp. {page}, doi: <doi>.",
    "{author}, {title}, {container}, vol. {volume}, {date}, pp. {page}.",
    "{author}, {title}, {container} {volume}, {date}, {page}.",
    "{author} {title}. {container}, {place}, v. {volume}, n. {issue}, p. {page}, {date}.",
    "{author} {title}. {container}, v. {volume}, n. {issue}, p.{page}, {date}.",
    "{author} {title}. {container}, v.{volume}, n.{issue}, p.{page}. {date}.",
    "{author} {title}. {container}, v.{volume}, p.{page}, {date}. <doi>",
    "{author} {title}. {container}, {place}, v. {volume}, p. {page}, {mdate}. <web>",
    "{author} {title}. {container}, v. {volume}, n. {issue}, p. {page}, {date}. DOI: <doi> <web>",
    "{author} ({date}). {title}. {container}, {volume}({issue}), {page}. <doi>",
    "{author} ({date}). {title}. {container}, {volume}, {page}. <doi>",
    "{author} ({date}). {title}. {container}, {volume}, {eid}. <doi>",
    "{author} ({date}) {title}. {container} {volume}({issue}):{page}",
    "{author} ({date}) ‘{title}’, {container}, {volume}({issue}), pp. {page}. doi: <doi>.",
    "{author}, {date}. {title}. {container}, vol. {volume}, no. {issue}, pp. {page}. <doi>.",
    "{author}, {date}. {title}. {container}, {volume}({issue}), pp. {page}.",
    "{author} {date}. {title}. {container}, {volume}({issue}): {page}.",
    "{author} {date}. {title}. {container} {volume}: {page}.",
    "{author} {date}. {title}. {container}, {volume}: {page}. <doi>.",
    "{author} {date}. {title}. {container} {volume}({issue}): {page}. Available: <web>",
    "{author} {date}. {title}. {container}, {place}, {volume}({issue}): {page}.",
    "{author} {date}. {title}. {container}, {volume}: {eid}.",
    "{author} {title}. {container}. {date};{volume}({issue}):{page}. <doi>",
    "{author} {title}. {container}. {date};{volume}:{page}. doi: <doi>.",
    "{author} {title}. {container} {date};{volume}:{page}.",
    "{author} {title}. {container}. {vdate};{volume}({issue}):{page}. doi: <doi>",
    "{author} {title}. {container} [Internet]. {vdate} <cited>;{volume}({issue}):{page}. <avail>",
    "{author} {title}. {container}. [Internet] {date} <cited>; {volume}({issue}):{page}. <avail>",
    "{author} {title}. {container}. {date};{volume}({issue}):{eid}. <doi>",
    "{author}, {container} {volume}, {page1} ({date}).",
    "{author}, {container} {volume}, {page} ({date}).",
    "{author}, “{title},” {container} {volume}, {page1} ({date}).",
    "{author}; {container} {date}, {volume}, {page1}.",
    "{author} {container} {date}, {volume}, {page}.",
    "{author}, “{title},” {container}, vol. {volume}, no. {issue}, pp. {page}, {mdate}, doi: <doi>.",
    "{author}, “{title}”, {container}, vol. {volume}, pp. {page}, {date}.",
    "{author} “{title}.” {container}, vol. {volume}, no. {issue}, {date}, pp. {page}.",
    "{author} {date}. “{title}.” {container} {volume} ({issue}): {page}. <doi>.",
    "{author}, “{title},” {container} {volume}, no. {issue} ({date}): {page}.",
    "{author} “{title}”. {container}, {volume} ({date}): {page}.",
    "{author}, {title}, {container} {volume} ({date}) {page}.",
    "{author}: {title}. {container} {volume}, {page} ({date})",
    "{author} {title}. {container}, {date}. <doi>",
    "{author} {date} {title} {container} {volume} {page}",
    "{author} {date} {container} {volume} {page1}",
    "{author} {title}. {container} {volume}, {page} ({date}).",
    "{author} {title}. {container} {volume}, {page1} ({date}). <doi>",
    "{author} {date}, {container}, {volume}, {page1}",
    "{author}, {date}, {container}, {volume}, {page1}",
    "{author}, {date}. {title}. {container} {volume}, {page}.",
    "{author}, {title}, {container} {volume} ({date}) {page1}, <arxiv>.",
    "{author}, {title}, {container} {volume}, {page1} ({date}) [<arxiv>].",
    "{author}, {container} {volume} ({date}) {page1}; <arxiv>.",
)
HAN = (
    "{hans}. {hantitle}[J]. {hanjournal}, {date}, {volume}({issue}): {page}.",
    "{hans}. {hantitle}[J]. {hanjournal}, {date}({issue}): {page}.",
    "{hans}. {hantitle}［J］. {hanjournal}, {date}, {volume}({issue}): {page}.",
    "{hans}：《{hantitle}》，《{hanjournal}》{date}年第{issue}期，第{page}页。",
    "{hans}，《{hantitle}》，{hanplace}：{hanpress}，{date}年。",
    "{hans}. {hantitle}[M]. {hanplace}: {hanpress}, {date}.",
    "{hans}. {hantitle}[M]. {hanplace}: {hanpress}, {date}: {page}.",
    "{hans}. {hantitle}[D]. {hanplace}: {hanuni}, {date}.",
    "{hans}. {hantitle}[EB/OL]. <web>",
    "{hans} ({date}). {hantitle}. {hanjournal}, {volume}({issue}), {page}.",
    "{hans}, {hantitle}, {hanjournal}, {volume}, {date}.",
    "{kors}, {kortitle}, {korjournal}, 제{volume}권 제{issue}호, {date}, pp.{page}.",
    "{kors}, {kortitle}, {korjournal}, {volume}({issue}), {date}, {page}.",
    "{kors}, {date}, {kortitle}, {korjournal}, {volume}({issue}), {page}.",
    "{kors}({date}). {kortitle}. {korjournal}, {volume}({issue}), {page}.",
    "{kors} ({date}). {kortitle}. {korjournal} 제{volume}집, {page}쪽.",
    "{kors}. {kortitle}. {korjournal}. {date};{volume}({issue}):{page}. <doi>",
    "{kors}, 『{kortitle}』, {korpress}, {date}.",
    "{kors}, {kortitle}, {korplace}: {korpress}, {date}.",
    "{kors}, 「{kortitle}」, 『{korjournal}』 {volume}, {date}, {page}쪽.",
)
BOOK = (
    "{author}: {title}. {place} {date}.",
    "{author}: {title}. {edition}. {place}: {publisher} {date}.",
    "{author}, {title}, {place}, {publisher}, {date}.",
    "{author}, {title}, {place}, {publisher}, coll. « {series} », {date}.",
    "{author}, {date}, {title}, {place}, {publisher}.",
    "{author} ({date}), {title}, {publisher}, {place}.",
    "{author}, {title}. {series}. {publisher}, {place}, {date}.",
    "{author} {title}. {place}: {publisher}, {date}. ({series}, {number}).",
    "{author}, {date}. {title}. {place}, {publisher}.",
    "{author}, {date}. {title} [Online]. {place}, {publisher}. Available from: <web>",
    "{author}. {date}. {title} [online]. {place}: {publisher}. Available from: <web>",
    "{state}, {date}. {title}. {place}: {publisher}. Available from: <web>",
    "{state}, {date}. {title} [Online]. {place}: {publisher}. Available from: <web>",
    "{state}. {date}. {title}. {place}: {publisher}.",
    "{state} ({date}). {title}. {place}: {publisher}.",
    "{state}. {title}. {place}: {publisher}, {date}.",
    "{state}. {title}. {place}: {publisher}, {date}. <web>",
    "{author} {title}. {place}: {publisher}, {date}.",
    "{author} {title}. {place}: {publisher}, {date}. <np>.",
    "{author} {title}. {edition}. {place}: {publisher}, {date}.",
    "{author} {title}. <by>{translator}. {place}: {publisher}, {date}.",
    "{author} {title}. <by>{translator}. {edition}. {place}: {publisher}, {date}.",
    "{author} {title}. {place}, {publisher}, {date}. <np>.",
    "{author} ({date}). {title}. {place}: {publisher}.",
    "{author} ({date}). {title} ({edition}). {publisher}.",
    "{author} ({date}) {title}. {edition}. {place}: {publisher}.",
    "{author}, {date}. {title}. {place}: {publisher}.",
    "{author}, {date}. {title}. {place}, {publisher}. Available from: <web>",
    "{author}, {date}. {title}. {edition}. {place}: {publisher}, <np>.",
    "{author} {date}. {title}. {publisher}, {place}.",
    "{author} {date}. {title}. {publisher}, {place}, <np>.",
    "{author} {date}. {title}. {place}, {publisher}. <np>.",
    "{author} {date}. {title}. {edition}. {place}: {publisher}.",
    "{author}, {title} ({publisher}, {place}, {date}).",
    "{author}, {title} ({publisher}, {place}, {date}), {edition}.",
    "{author}, {title} ({place}: {publisher}, {date}), {page1}.",
    "{author} {title}. {edition}. {place}: {publisher}; {date}.",
    "{author} {title}. {place}: {publisher}; {date}. <np>.",
    "{author} {title} [Internet]. {place}: {publisher}; {date} <cited>. <avail>",
    "{author} {title}. {publisher}, {date}.",
    "{author}, {title}, {edition} {place}: {publisher}, {date}, pp. {page}.",
    "{author}, {title}. {place}: {publisher}, {date}.",
    "{body}. {title}. {place}: {publisher}, {date}. <web>",
    "{body}, {date}. {title} [Online]. {place}: {publisher}. Available from: <web>",
    "{body}. {date}. {title}. {edition}, {publisher}, {place}, <np>.",
)
CHAPTER = (
    "{author}: {title}. In: {editor} (Hg.): {container}. {place}: {publisher} {date}, S. {page}.",
    "{author}: {title}. In: {editor} (Hrsg.), {container}. {publisher}, {place} {date}, S. {page}.",
    "{author}, « {title} », in {editor} (dir.), {container}, {place}, {publisher}, {date}, p. {page}.",
    "{author}, ‘{title}’, in {container}, ed. by {editor} ({place}: {publisher}, {date}), pp. {page}.",
    "{author}, {date}. {title}. In: {container}, ed. {editor}, pp. {page}. {place}: {publisher}.",
    "{author}, {title}, in: {editor} (eds.), {container}, {publisher}, {place}, {date}, pp. {page}.",
    "{author} {title}. In {editor}, editors, {container}, volume {volume} of {series}, pages {page}. {publisher}, {date}.",
    "{author} {title}. In: {editor} (org.). {container}. {place}: {publisher}, {date}. p. {page}.",
    "{author} {title}. In: {editor} (orgs.). {container}. {place}: {publisher}, {date}. p.{page}.",
    "{author} {title}. In: {editor}. {container}. <by>{translator}. {place}: {publisher}, {date}. p. {page}.",
    "{author} {title}. In: {editor} (eds.). {container}. {edition}. {place}: {publisher}, {date}, p.{page}.",
    "{author} ({date}). {title}. In {editor} (Eds.), {container} (pp. {page}). {place}: {publisher}.",
    "{author} ({date}). {title}. In: {editor} (Eds.). {container} ({edition}, p. {page}). {place}: {publisher}.",
    "{author} ({date}). {title}. In {editor} (Ed.), {container} (pp. {page}). {publisher}. <doi>",
    "{author} {date}. {title}. In: {editor} (eds.). {container}. {publisher}, {place}, pp. {page}.",
    "{author} {date}. {title}. In: {editor} (Org.). {container}. {place}, {publisher}. p. {page}.",
    "{author}, {date}. {title}. In: {editor}, eds. {container}. {place}: {publisher}, pp. {page}.",
    "{author} {title}. In: {editor}, editors. {container}. {edition}. {place}: {publisher}; {date}. p. {page}.",
    "{author} {title}. In: {editor}. {container}. {place}: {publisher}; {date}. p. {page}.",
    "{author} “{title}.” In {container}, edited by {editor}, {page}. {place}: {publisher}, {date}.",
    "{author}, “{title},” in {container}, ed. {editor} ({place}: {publisher}, {date}), {page}.",
    "{author}, in: {container}, edited by {editor} ({publisher}, {place}, {date}), p. {page1}.",
    "{author}, “{title},” in {container}, {editor}, Eds. {place}: {publisher}, {date}, pp. {page}.",
)
MEETING = (
    "{author} {title}. In: {event}, <nth>., {date}, {place}. {container} [...]. {place}: {publisher}, {date}. p. {page}.",
    "{author} {title}. In: {event}, <nth>., {date}, {place}. {container}... {place}: {publisher}, {date}.",
    "{author}, “{title},” in {container}, {place}, {date}, pp. {page}.",
    "{author} ({date}). {title}. In {container} (pp. {page}). {place}: {publisher}.",
    "{author} {title}. In {container}, pages {page}. {publisher}, {date}.",
    "{author} {date}. {title}. In: {container}. {place}, pp. {page}.",
)
THESIS = (
    "{author} {title}. {date}. <leaves>. {genre} (<degree>) – {university}, {place}, {date}.",
    "{author} {title}. {date}. {genre} (<degree>) - {university}, {place}, {date}. <web>",
    "{author} {title}. {genre} (<degree>). {university}, {place}, {date}.",
    "{author} {title}. {genre} (<degree>) – {university}, {place}. {date}.",
    "{author} {date}. {title}. {genre}, {university}, {place}.",
    "{author} {title}. {genre} apresentada ao {university}. {place}, {date}.",
    "{author} ({date}). {title} ({genre}). {university}.",
    "{author} ({date}) {title}. {genre}. {university}.",
    "{author} “{title}.” {genre}, {university}, {date}.",
    "{author}, “{title},” {genre}, {university}, {place}, {date}.",
    "{author} {title} [{genre}]. {place}: {university}; {date}.",
)
WEB = (
    "{body}. {title} [Online]. {place}: {publisher}. Available from: <web>",
    "{author}, {date}. {title}. {news} [Online], {dm}.",
    "{author} {date}. {title}. {news}, {dm}. <web>",
    "{author}, {date}. {title}. {news}. {dm}. Available at: <web>",
    "{body} {date}. “{title}.” {news}, {dm}. <web>",
    "{author} {title}. {date}. <web>",
    "{author} {title}. {place}: {publisher}, {date}. <web>",
    "{body}. {title}. {date}. <web>",
    "{body}. {title}. <web>",
    "{body} ({date}). {title}. Retrieved from <web>",
    "{body} ({date}) {title}. Available at: <web>",
    "{body}, {date}. {title}. {news} [Online], {dm}. Available from: <web>",
    "{author}, {date}. {title}. {news} [Online], {dm}. Available from: <web>",
    "{author}, {date}. {title}, {news} [Online], {dm}. Available from: <web>",
    "{author} ({date}, {md}). {title}. {news}. <web>",
    "{author} ({date}) ‘{title}’, {news}, {dm}. Available at: <web>",
    "{author}, “{title},” {news}, {ldate}, <web>.",
    "{author} “{title}.” {news}, {ldate}, <web>.",
    "{author} {title}. {news}, {place}, {ldate}. <web>",
    "{body}. {title} [Internet]. {place}: {publisher}; {date} <cited>. <avail>",
    "{author} {title}. {news}. {ldate}. <web>",
)
_KINDS = ((HAN, 6), (JOURNAL, 46), (BOOK, 19), (CHAPTER, 12), (MEETING, 5), (THESIS, 5), (WEB, 11))


class Pools(NamedTuple):
    """Values that the training strings give."""

    people: list[tuple[str, str]]
    titles: list[str]
    books: list[str]
    journals: list[str]
    publishers: list[str]
    places: list[str]


def rendered(train: list[corpora.Labelled], count: int, rng: random.Random) -> Iterator[corpora.Labelled]:
    """`count` labelled strings, the same for the same seed."""
    pools = _pools(train)
    weights = [weight for _, weight in _KINDS]
    for _ in range(count):
        templates = rng.choices([kind for kind, _ in _KINDS], weights)[0]
        yield _fill(rng.choice(templates), pools, rng)


def recombined(train: list[corpora.Labelled], count: int, rng: random.Random) -> Iterator[corpora.Labelled]:
    """Real strings with some of their values exchanged for those of other strings, all collections alike.

    What stays is how a list orders and marks its fields; what changes are the words, so that the model learns
    the one without leaning on the other.
    """
    pool: dict[str, list[str]] = {}
    by_source: dict[str, list[corpora.Labelled]] = {}
    for item in train:
        by_source.setdefault(item.source, []).append(item)
        for label, a, b in item.spans:
            pool.setdefault(_like(label, item.raw[a:b]), []).append(item.raw[a:b])
    sources = list(by_source)
    weights = [len(by_source[source]) ** 0.5 for source in sources]
    for source in rng.choices(sources, weights, k=count):
        yield _exchanged(rng.choice(by_source[source]), pool, rng)


def _like(label: str, value: str) -> str:
    """Values of one kind: names written alike, numbers of like form, texts in like script."""
    if label in {"author", "editor", "translator"}:
        first = (
            "I"
            if re.match(r"[^\W\d_]\.", value)
            else "F,I"
            if re.match(r"[\w’' -]+,\s*[^\W\d_]\.", value)
            else "F I"
            if re.match(r"\w+ [A-Z]{1,3}\b", value)
            else "F"
        )
        return f"author|{first}|{',' in value}|{';' in value}"
    if label in {"volume", "issue", "page", "date", "edition", "note", "genre", "web", "label"}:
        return f"{label}|{re.sub('[0-9]+', '0', value)[:6]}"
    return f"{label}|{value[:1].isascii()}|{len(value) > 60}"


def _exchanged(item: corpora.Labelled, pool: dict[str, list[str]], rng: random.Random) -> corpora.Labelled:
    raw = ""
    spans: list[tuple[str, int, int]] = []
    position = 0
    for label, a, b in sorted(item.spans, key=lambda s: s[1]):
        if a < position:
            continue
        value = item.raw[a:b]
        if label not in {"web", "label"} and rng.random() < 0.6:
            other = rng.choice(pool[_like(label, value)])
            value = other if (other[-1] == ".") == (value[-1] == ".") else value
        raw += item.raw[position:a]
        spans.append((label, len(raw), len(raw) + len(value)))
        raw += value
        position = b
    return corpora.Labelled(raw + item.raw[position:], tuple(spans), "recombined")


def _pools(train: list[corpora.Labelled]) -> Pools:
    people: list[tuple[str, str]] = []
    for item in train:
        for value in item.values("author")[:1]:
            people.extend((n["family"], n["given"]) for n in names.parse(value)[:4]
                          if re.fullmatch(r"[^\W\d_][\w’' -]{1,20}", n.get("family", "")) and re.match(r"[A-ZÀ-Þ]", n.get("given", "")))  # fmt: skip

    def values(label: str, low: int, high: int) -> list[str]:
        return [v for i in train for v in i.values(label)[:1] if low <= len(v) <= high and "http" not in v]

    titles = values("title", 15, 180)
    books = [
        v
        for i in train
        if i.values("publisher") and not i.values("volume")
        for v in i.values("title")[:1]
        if 8 < len(v) < 120
    ]
    return Pools(
        people, titles, books or titles, values("container", 3, 80), values("publisher", 3, 60), values("place", 3, 30)
    )


def _fill(template: str, pools: Pools, rng: random.Random) -> corpora.Labelled:
    raw = ""
    spans: list[tuple[str, int, int]] = []
    style = _PersonStyle(rng, after=template[8:10] if template.startswith("{author}") else " ")
    bound: dict[str, str] = {}
    for piece in re.split(r"(\{\w+\}|<\w+>)", _vary(template, rng)):
        if piece.startswith("<"):
            raw += _literal(piece[1:-1], rng)
            continue
        if not piece.startswith("{"):
            raw += piece[1:] if raw.endswith((".", "?", "!")) and piece.startswith(".") else piece
            continue
        name = piece[1:-1]
        label, text = _value(name, template, pools, style, rng, bound)
        # "SILVA, João. Title": where no mark of the template follows the authors, a full stop does.
        closing = (
            "."
            if label == "author" and not raw and text[-1] != "." and re.match(r"\{author\} [{“](?!date)", template)
            else ""
        )
        spans.append((label, len(raw), len(raw) + len(text)))
        raw += text + closing
    return corpora.Labelled(raw, tuple(spans), "rendered")


def _vary(template: str, rng: random.Random) -> str:
    """Small liberties that real lists take: a field missing, a mark doubled or dropped."""
    if rng.random() < 0.12:
        template = (
            template.replace("({issue})", "")
            .replace(", n. {issue}", "")
            .replace(", no. {issue}", "")
            .replace(", n.{issue}", "")
        )
    if rng.random() < 0.5:
        template = re.sub(r"[ ,]*(?:doi: |DOI: )?<doi>\.?", "", template)
    if rng.random() < 0.06:
        template = template.rstrip(".")
    if rng.random() < 0.3:
        template = template.replace("“", '"').replace("”", '"').replace("‘", "'").replace("’", "'")
    if rng.random() < 0.1:
        template = template.replace(" – ", " - ")
    return template


class _PersonStyle:
    """How one list writes its people, the same for all of a string."""

    def __init__(self, rng: random.Random, after: str) -> None:
        self.rng = rng
        self.upper = rng.random() < 0.25
        self.full = rng.random() < 0.22
        self.han = rng.random() < 0.015
        self.plain = rng.random() < 0.06
        self.form = rng.choice(("F, I. I.", "F, I.I.", "F II", "F, I. I.", "I. I. F", "I.I. F", "F I. I.", "F, I.I."))
        self.between = rng.choice((", ", ", ", "; ", "; "))
        if self.form == "F II" or self.form.startswith("I"):
            self.between = ", "
        self.last = rng.choice((" & ", " and ", ", & ", ", and ", " e ", " y ", "; ", "; & ", ", ", ", "))
        if "; " in self.between and self.last == ", ":
            self.last = "; "
        if self.form == "F II":
            self.last = ", "
        self.after = after

    def one(self, person: tuple[str, str], *, first: bool = True) -> str:
        rng = self.rng
        family, given = person
        if self.upper:
            family = family.upper()
        if self.han:
            return f"{family}, {given[0]}. {rng.choice(_HAN_NAMES)}"
        if self.plain:
            return f"{given if len(given) > 3 else rng.choice(_GIVEN)} {family}"
        initials = [w[0] for w in re.findall(r"[^\W\d_]+", given) if w[0].isupper()][:3] or ["A"]
        if self.full and self.form != "F II":
            shown = given if len(given) > 3 else rng.choice(_GIVEN) + (f" {initials[0]}." if rng.random() < 0.3 else "")
            return f"{family}, {shown}" if first or self.between == "; " else f"{shown} {family}"
        if self.form == "F II":
            return f"{family} {''.join(initials)}"
        join = "" if "I.I." in self.form else " "
        shown = join.join(f"{i}." for i in initials)
        if self.form.startswith("I"):
            return f"{shown} {family}"
        if rng.random() < 0.04:
            shown += " " + rng.choice(_PARTICLES)
        return f"{family}{',' if ',' in self.form else ''} {shown}"

    def many(self, people: list[tuple[str, str]]) -> str:
        shown = [self.one(p, first=i == 0) for i, p in enumerate(people)]
        if len(shown) == 1:
            return shown[0]
        if self.rng.random() < 0.1:
            return f"{self.between.join(shown)}{',' if self.rng.random() < 0.6 else ''} et al."
        return self.between.join(shown[:-1]) + self.last + shown[-1]


def _value(
    name: str, template: str, pools: Pools, style: _PersonStyle, rng: random.Random, bound: dict[str, str]
) -> tuple[str, str]:
    local = rng.random() < 0.45
    if name in {"author", "editor", "translator"}:
        most = {"author": 6, "editor": 3, "translator": 2}[name]
        if name == "author" and rng.random() < 0.05:
            return "author", rng.choice(_BODIES)
        people = [
            _person(pools, rng)
            for _ in range(rng.choice((1, 1, 2, 2, 3, 4, most)) if most > 2 else rng.choice((1, 1, 2)))
        ]
        if name == "translator":
            return name, " e ".join(f"{rng.choice(_GIVEN)} {f}" for f, _ in people)
        return name, style.many(people)
    if name in {"hans", "kors"}:
        chosen = rng.sample(_HAN_NAMES if name == "hans" else _KOREAN_NAMES, rng.choice((1, 1, 2, 3)))
        return "author", rng.choice((", ", "，", "、") if name == "hans" else (", ", "・", ", ")).join(
            chosen
        ) + rng.choice(("", "", "", ", 等" if name == "hans" else " 외 3인"))
    if name in {"hantitle", "kortitle"}:
        words = rng.sample(_HAN_WORDS if name == "hantitle" else _KOREAN_WORDS, rng.randint(3, 7))
        text = ("" if name == "hantitle" else " ").join(words)
        if rng.random() < 0.3:
            text += rng.choice(("——以", ": ", "：", ", ")) + ("" if name == "hantitle" else " ").join(
                rng.sample(words, 2)
            )
        return "title", text
    if name == "hanjournal":
        return "container", rng.choice(("", "中国", "当代")) + "".join(rng.sample(_HAN_WORDS, 2)) + rng.choice(
            ("", "研究", "学报", "评论")
        )
    if name == "korjournal":
        return "container", rng.choice(_KOREAN_JOURNALS)
    if name in {"hanplace", "korplace"}:
        return "place", rng.choice(_HAN_PLACES) if name == "hanplace" else rng.choice(("서울", "부산", "대구"))
    if name in {"hanpress", "korpress", "hanuni"}:
        return "publisher", rng.choice(
            {"hanpress": _HAN_PRESSES, "korpress": _KOREAN_PRESSES, "hanuni": _HAN_UNIVERSITIES}[name]
        )
    if name == "state":
        country = rng.choice(_COUNTRIES)
        return "author", f"{country}. {rng.choice(_STATE).format(country)}"
    if name == "series":
        return "series", rng.choice(
            (
                "Lecture Notes in Computer Science",
                "Coleção Debates",
                "Que sais-je ?",
                "Studies in Linguistics",
                "Texto & Arte",
            )
        )
    if name == "number":
        return "volume", str(rng.randint(1, 300))
    if name in {"dm", "md"}:
        day, month_name = rng.randint(1, 28), rng.choice(_MONTHS["long"])
        return "date", f"{day} {month_name}" if name == "dm" else f"{month_name} {day}"
    if name == "body":
        body = rng.choice(_BODIES)
        return "author", body.upper() if rng.random() < 0.1 else body
    if name == "title":
        books = template in BOOK
        source = pools.books if books else pools.titles
        text = f"{rng.choice(_WHAT)} {rng.choice(_OF)}{rng.choice(_TAIL)}" if local else rng.choice(source)
        if "“" not in template and "‘{" not in template:
            text = text.strip("\"“”'")
        if local and rng.random() < 0.3:
            words = rng.sample(_NOUNS, 3)
            text = rng.choice(
                ("{0}, {1} e {2}", "{0} e {1}", "{0}, {1}, {2}", "{0}: {1} e {2}", "{0}", "{0} y {1}")
            ).format(*words)
        if rng.random() < 0.06:
            text = f"{text.rstrip('.?!')}{rng.choice(('? ', '. ', '! '))}{rng.choice(source).strip('“”')}"
        if rng.random() < 0.03:
            pinyin, han, english = rng.choice(_HAN_TITLES)
            text = rng.choice(
                (
                    f"{pinyin} {han} [{english}]",
                    f"{pinyin} {han}",
                    f"{text} [{english}]",
                    f"{han} [{english}]",
                    f"{pinyin} [{english}]",
                )
            )
        elif rng.random() < 0.02:
            text = f"{text} [{rng.choice(source).strip('“”[]')}]"
        return "title", text
    if name == "container":
        if template in MEETING:
            return "container", rng.choice(
                ("Anais", "Anais", "Atas")
            ) if "[...]" in template or "..." in template else f"Proceedings of the {rng.choice(_EVENTS)}"
        if template in CHAPTER:
            return "container", f"{rng.choice(_WHAT)} {rng.choice(_OF)}" if local else rng.choice(pools.books)
        if rng.random() < 0.02:
            return "container", " ".join(rng.choice(_HAN_JOURNALS))
        return "container", rng.choice(_JOURNALS) if local else rng.choice(pools.journals)
    if name == "news":
        return "container", rng.choice(_NEWS)
    if name == "event":
        return "container", rng.choice(_EVENTS)
    if name in {"publisher", "university"}:
        pool = _UNIVERSITIES if name == "university" else (_PUBLISHERS if local else pools.publishers)
        return "publisher", rng.choice(pool)
    if name == "place":
        return "place", bound.setdefault("place", rng.choice(_PLACES if local else pools.places))
    if name == "genre":
        english = "University" in template
        return "genre", rng.choice(("Tese", "Dissertação", "Dissertação de Mestrado", "Tese de Doutorado", "Tesis doctoral", "PhD thesis",
                                    "Doctoral dissertation", "Master’s thesis", "Monografia") if not english else ("PhD thesis",))  # fmt: skip
    if name == "edition":
        return "edition", rng.choice(
            ("2. ed", "2ª ed", "3rd ed.", "2nd ed", "3 ed", "4a ed", "2nd edn", "1st ed", "5. Aufl", "rev. ed.")
        )
    year = bound.setdefault(
        "year", str(rng.choice((rng.randint(1900, 2024), rng.randint(1985, 2024), rng.randint(2000, 2024))))
    )
    if name == "date":
        suffix = rng.choice("abc") if rng.random() < 0.04 else ""
        return "date", year + suffix
    month = rng.randrange(12)
    if name == "mdate":
        return (
            "date",
            f"{_MONTHS['pt'][month]}{rng.choice(('/' + _MONTHS['pt'][min(11, month + 3)], ''))} {year}"
            if local
            else f"{_MONTHS['en'][month]}. {year}",
        )
    if name == "vdate":
        return "date", f"{year} {_MONTHS['en'][month]}" if rng.random() < 0.6 else year
    if name == "ldate":
        return (
            "date",
            f"{rng.randint(1, 28)} {_MONTHS['pt'][month]} {year}"
            if local
            else f"{_MONTHS['long'][month]} {rng.randint(1, 28)}, {year}",
        )
    if name == "volume":
        return "volume", str(
            rng.choice((rng.randint(1, 60), rng.randint(1, 400)))
        ) if rng.random() < 0.95 else rng.choice(("XII", "IV", "53A", "esp"))
    if name == "issue":
        return "issue", rng.choice(
            (
                str(rng.randint(1, 12)),
                str(rng.randint(1, 12)),
                f"{rng.randint(1, 3)}-{rng.randint(4, 6)}",
                "Suppl 1",
                "spe",
                "1/2",
            )
        )
    begin = rng.randint(1, 1800)
    end = begin + rng.randint(1, 40)
    if name == "page":
        last = (
            str(end)[-2:] if rng.random() < 0.2 and str(end)[:-2] == str(begin)[:-2] and len(str(end)) > 2 else str(end)
        )
        return "page", f"{begin}{rng.choice('-–-')}{last}"
    if name == "page1":
        return "page", str(rng.choice((begin, rng.randint(10000, 999999))))
    return "page", f"e{rng.randint(1000, 999999)}"


def _person(pools: Pools, rng: random.Random) -> tuple[str, str]:
    if rng.random() < 0.5:
        return rng.choice(pools.people)
    family = rng.choice(_FAMILIES)
    if rng.random() < 0.15:
        family += f"{rng.choice(' -')}{rng.choice(_FAMILIES)}"
    if rng.random() < 0.04:
        family += f" {rng.choice(_SUFFIXES)}"
    if rng.random() < 0.04:
        family = f"{rng.choice(_PARTICLES)} {family}"
    return family, " ".join(rng.sample(_GIVEN, rng.choice((1, 2, 2))))


def _literal(name: str, rng: random.Random) -> str:
    """What is printed and belongs to no field of ours, or is found by rule."""
    day, year, month = rng.randint(1, 28), rng.randint(2005, 2024), rng.randrange(12)
    host = rng.choice(
        ("www.example.org", "repositorio.example.br", "www.gov.example", "journals.example.com", "bit.ly")
    )
    url = f"http{rng.choice(('s', ''))}://{host}/{rng.choice(('article/view/', 'pdf/', '', 'news/2020/01/'))}{rng.randint(1000, 999999)}"
    if name == "doi":
        doi = f"10.{rng.randint(1000, 9999)}/{rng.choice(('s', 'j.x.', 'journal.pone.', ''))}{rng.randint(10000, 9999999)}"
        return rng.choice((f"https://doi.org/{doi}", f"http://dx.doi.org/{doi}", doi, f"https://doi.org/{doi}"))
    if name == "web":
        access = rng.choice(
            (
                f" Acesso em: {day} {_MONTHS['pt'][month]} {year}.",
                f" Accessed {day} {_MONTHS['long'][month]} {year}.",
                "",
                f" (acesso em {day}-V-{year}).",
            )
        )
        lead = rng.choice(("Disponível em: ", "Disponible en: ", "Available from: ", "Available at: ", ""))
        return f"{lead}{url}{rng.choice(('.', ''))}{access}"
    if name == "arxiv":
        return rng.choice(("arXiv:", "")) + f"{rng.randint(10, 23)}{rng.randint(10, 12)}.{rng.randint(10000, 99999)}"
    if name == "avail":
        return f"{rng.choice(('Available from: ', 'Disponível em: ', 'Disponible en: '))}{url}"
    if name == "cited":
        return rng.choice(
            (
                f"[cited {year} {_MONTHS['en'][month]} {day}]",
                f"[citado {year} jun {day}]",
                f"[Acceso {day} enero {year}]",
                f"[cited {_MONTHS['en'][month]} {day}, {year}]",
            )
        )
    if name == "np":
        return rng.choice((f"{rng.randint(80, 700)} p", f"{rng.randint(80, 700)}p", f"p. {rng.randint(80, 700)}"))
    if name == "by":
        return rng.choice(("Tradução de ", "Trad. ", "Tradução ", "Translated by ", "Trans. ", "Traducción de "))
    if name == "degree":
        return rng.choice(
            ("Doutorado em Educação", "Mestrado em Letras", "Mestrado", "Doutorado em Ciências", "Maestría en Historia")
        )
    return {
        "leaves": f"{rng.randint(80, 300)} f", "nth": str(rng.randint(1, 40)),
    }.get(name, "")  # fmt: skip
