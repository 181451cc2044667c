"""Words that say nothing about what a claim is: they are not compared. They do say which language a text is in."""

_EN = """
a about above after again against ain all also am an and any are aren as at be because been before being below between both but by can
cannot could couldn did didn do does doesn doing don down during each ever few for from further get gets getting got had hadn has hasn have
haven having he her here hers herself him himself his how i if in into is isn it its itself just ll let ll m may maybe me might mine more
most much must my myself need needn no nor not now of off oh ok on once one only or other ought our ours ourselves out over own re really
s said same say says shall shan she should shouldn so some such t than that the their theirs them themselves then there these they this
those through to too u under until up upon us ve very via was wasn we were weren what when where whether which while who whom whose why
will with won would wouldn yes yet you your yours yourself yourselves rt amp lol im dont thats
"""
_NL = """
aan al alle alleen als altijd andere ben bent bij daar dan dat de der deze die dit doch doen doet door dus een eens en er ge geen gewoon
had hadden heb hebben hebt heeft hem het hier hij hoe hun iemand iets ik in is ja je jij jou jouw jullie kan kon kunnen kunt maar me
meer men met mij mijn moet moeten na naar niet niets nog nooit nu of om omdat onder ons onze ook op over te toch toen tot u uit uw van
veel via voor waar waarom was wat we wel werd wie wij wil willen word worden wordt zal ze zeer zei zegt zelf zich zij zijn zo zonder zou
zouden zoals zulke heel echt even want weer al maken gaat gaan
"""
_FR = """
a à ai aient ainsi alors as au aucun aussi autre autres aux avaient avait avant avec avez avons c car ce ceci cela celle celui ces cet
cette ceux chaque chez comme comment d dans de des depuis deux dit donc dont du elle elles en encore entre es est et étaient était été
être eu fait font fois hors ici il ils j je l la là le les leur leurs lui m ma mais me même mes moi mon n ne ni nos notre nous on ont ou
où par parce pas peu peut plus pour pourquoi qu quand que quel quelle quelles quels qui quoi s sa sans se sera ses si son sont sous sur
ta tes te toi ton toujours tous tout toute toutes très trop tu un une vont vos votre vous y ça c'est va faire
"""
_DE = """
aber alle allem allen aller alles als also am an andere anderen auch auf aus bei beim bin bis bist da dann das dass daß dem den denn der
des die dies diese diesem diesen dieser dieses doch dort du durch ein eine einem einen einer eines er es etwas euch euer für gegen gibt
hab habe haben hat hatte hatten hier hin ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im immer in ins ist ja jede jeden jeder jetzt kann
kein keine keinen können könnte machen macht man mehr mein meine mich mir mit muss müssen nach nicht nichts noch nun nur ob oder ohne sagt
sehr sei sein seine seinem seinen seiner seit sich sie sind so soll sollen sollte sondern über um und uns unser unter viel vom von vor war
waren warum was weil weiter wenn wer werde werden wie wieder will wir wird wo wurde wurden zu zum zur zwischen schon mal
"""
STOP_WORDS: dict[str, frozenset[str]] = {
    "en": frozenset(_EN.split()),
    "nl": frozenset(_NL.split()),
    "fr": frozenset(_FR.split()),
    "de": frozenset(_DE.split()),
}
