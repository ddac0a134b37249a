/** Short forms that people use instead of a given name; one line a family. Pure. */

const families = `
alexander alex alec sasha sandu sander xander
alexandra alexa sandra sasha ale
andrei andrew andy drew andreas andre andrea
anthony antony tony toni antoine anton antonio
barbara barb babs
benjamin ben benny benji benoit
catherine katherine kathryn kate katie kathy cathy cat kat katarina ecaterina catalina cata
charles charlie chuck charlotte lotte carl karl carol carlos
christian christopher chris cristian cristi topher christophe kit
christina christine cristina tina chrissy chris
constantin costin costel costi dinu
daniel dan danny dani daniela
david dave davy
deborah debbie deb
dumitru dumitrescu mitica dimitri
edward eddie ed ted teddy ned eduard edouard
elizabeth elisabeth liz lizzie beth betty eliza lisa elisa elisabeta
elena lena ileana helene helen nell
emmanuel manu emanuel manuel
florin florian flo florentina
francis frank frankie francois francisc
frederick fred freddy frederic friedrich fritz
gabriel gabi gabriela gabe gabrielle
george gheorghe georges gigi geo jorge
gregory greg gregor grigore
henry harry hank henri heinrich
ioan ion ionel ionut john jean johannes hans juan giovanni ivan johnny jack nelu
ioana jane jeanne joan johanna janet
isabella isabel isabelle bella izzy
jacob jake iacob
jacqueline jackie
james jim jimmy jamie jacques
jennifer jen jenny jenn
jessica jess jessie
jonathan jon jonny
joseph joe joey josef iosif jose sepp
joshua josh
katherine kathleen kate kay
lawrence laurence larry laurent laurentiu lorenz
leonard leo len lenny leon
lucas luke luca lukas luc
margaret maggie meg peggy marge margareta marguerite rita greta
maria marie mary maricica mia mariana
martin marty marten
matthew matt mattie matthieu matei mateo matthias
maximilian max maxim maxime maxwell
michael mike mick mickey mihai mihail misu michel michal mikhail misha miguel
nathaniel nathan nate nat
nicholas nick nicky nicolae nicolas nico nicu klaus nikolai kolya
oliver ollie olivier
olivia liv livvy
patricia pat patty trish tricia
patrick pat paddy patrice
peter pete petre petru pierre pedro piotr
philip phillip phil philippe filip
rachel rach rachael raquel
rebecca becky becca
richard rick ricky dick rich richie
robert rob bob bobby robbie bert
ronald ron ronnie
samuel sam sammy
samantha sam sammy
sebastian seb sebi bastian bastien
sophie sophia sofia sofie
stephen steven steve stefan stephane etienne esteban fane
susan sue susie suzanne susanna
theodore theo ted teddy tudor teodor
thomas tom tommy toma tomas
timothy tim timmy
valentin vali valentina
vasile vasilica lica basil vasili
victoria vicky vic tori
vincent vince vinnie vicente
vladimir vlad volodya
walter walt wally
william will bill billy guillaume wilhelm liam willem
yekaterina katya
zachary zach zack
александр саша шура
алексей леша алеша
анна аня нюра
дмитрий дима митя
екатерина катя
елена лена
иван ваня
мария маша
михаил миша
наталья наташа наталия
николай коля
ольга оля
сергей сережа
татьяна таня
`

const groups = new Map<string, number[]>()
families
  .trim()
  .split('\n')
  .forEach((line, group) => {
    for (const name of line.split(' ')) groups.set(name, [...(groups.get(name) ?? []), group])
  })

/** The families that a folded name belongs to; mostly none. */
export function nicknameGroups(folded: string): readonly number[] {
  return groups.get(folded) ?? []
}

export function areNicknames(left: readonly number[], right: readonly number[]): boolean {
  return left.some((group) => right.includes(group))
}
