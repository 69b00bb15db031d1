set -e
ln -s model starter
mkdir site
cp docs/*.jpg site/
cp docs/doc0.html site/a.html
cp docs/doc1.html site/b.html
rs-extract -q --count counts.fst docs
rs-extract -q --rejects rejects.jsonl --report funnel.jsonl docs > records.jsonl
rs-embed -q --model model records.jsonl > embedded.jsonl
grep '^{"schema":"image/1"' embedded.jsonl > images.jsonl
grep '^{"schema":"sentence/1"' embedded.jsonl > sentences.jsonl
rs-kmeans -q -k 4 --iterations 5 --out centroids.npy sentences.jsonl > kmeans.jsonl
rs-kmeans -q -k 3 --iterations 5 --out pictures.npy images.jsonl > kmeans.images.jsonl
rs-retrieve -q --sentences sentences.jsonl --centroids centroids.npy --probe 4 images.jsonl |
  rs-kmeans -q --assign pictures.npy > pairs.jsonl
